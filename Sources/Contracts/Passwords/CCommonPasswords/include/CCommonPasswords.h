#ifndef CCOMMONPASSWORDS_H
#define CCOMMONPASSWORDS_H

#include <stddef.h>

/// The content of common-passwords.txt. The memory is constant and is never freed.
const unsigned char *_Nonnull common_passwords_text(void);

/// The length of common-passwords.txt in bytes.
size_t common_passwords_length(void);

#endif
