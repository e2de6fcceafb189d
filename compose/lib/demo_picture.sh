# shellcheck shell=bash
# Makes a PNG file without an image library.

# hex32 NUMBER: prints a number as eight hexadecimal digits.
hex32() { printf '%08x' "$1"; }

# write_bytes HEX: writes the bytes that the hexadecimal digits represent to standard output.
write_bytes() {
    local i escaped=''
    for ((i = 0; i < ${#1}; i += 2)); do escaped+="\\x${1:i:2}"; done
    printf '%b' "$escaped"
}

# crc32 HEX: prints the CRC-32 of the bytes. gzip computes it.
crc32() {
    # gzip's output ends with the CRC-32, least significant byte first, and the length.
    write_bytes "$1" | gzip -c | tail -c 8 | od -An -tx1 -N4 | awk '{ print $4 $3 $2 $1 }'
}

# adler32 HEX: prints the Adler-32 checksum of the bytes (RFC 1950).
adler32() {
    local hex=$1 a=1 b=0 i
    for ((i = 0; i < ${#hex}; i += 2)); do
        a=$(((a + 16#${hex:i:2}) % 65521))
        b=$(((b + a) % 65521))
    done
    hex32 $(((b << 16) | a))
}

# png_chunk TYPE HEX: prints a chunk in hexadecimal digits: length, type, data and CRC.
png_chunk() {
    local body
    body=$(printf '%s' "$1" | od -An -tx1 | tr -d ' \n')$2
    printf '%s%s%s' "$(hex32 $((${#2} / 2)))" "$body" "$(crc32 "$body")"
}

# make_picture FILE: writes a picture for the user.
make_picture() {
    local folder
    folder=$(dirname -- "$1")
    [[ -d $folder ]] || fail "$folder is not a folder"
    if [[ -e $1 ]]; then fail "$1 exists already"; fi
    write_picture "$1"
    say "Wrote $1, a PNG of 8 by 8 pixels of a random colour."
}

# write_picture FILE: writes a valid PNG: 8 by 8 pixels of one random colour, so that two pictures almost never have the
# same bytes.
write_picture() {
    local colour row pixels='' length
    colour=$(od -An -tx1 -N3 /dev/urandom | tr -d ' \n')
    row=00
    for _ in {1..8}; do row+=$colour; done
    for _ in {1..8}; do pixels+=$row; done
    length=$((${#pixels} / 2))
    # The header of a stored deflate block: its length and the complement of the length, low byte first (RFC 1951).
    length=$(printf '%02x%02x%02x%02x' $((length & 255)) $((length >> 8)) $((~length & 255)) $((~length >> 8 & 255)))
    {
        write_bytes 89504e470d0a1a0a
        write_bytes "$(png_chunk IHDR 00000008000000080802000000)"
        # A zlib stream (RFC 1950): the zlib header 7801, the block, whose first byte 01 marks the last one, and the
        # checksum.
        write_bytes "$(png_chunk IDAT "780101$length$pixels$(adler32 "$pixels")")"
        write_bytes "$(png_chunk IEND '')"
    } >"$1"
}
