#include "CCommonPasswords.h"

static const unsigned char text[] = {
#embed "common-passwords.txt"
};

const unsigned char *common_passwords_text(void) { return text; }

size_t common_passwords_length(void) { return sizeof text; }
