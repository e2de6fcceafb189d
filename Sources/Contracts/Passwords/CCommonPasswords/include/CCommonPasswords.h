#ifndef CCOMMONPASSWORDS_H
#define CCOMMONPASSWORDS_H

#include <stddef.h>

/// The content of common-passwords.txt, which lives as long as the process.
const unsigned char *_Nonnull common_passwords_text(void);

/// The length of that content in bytes.
size_t common_passwords_length(void);

#endif
