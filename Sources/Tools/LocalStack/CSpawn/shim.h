#pragma once

// <spawn.h> declares this function of glibc 2.34 only if _GNU_SOURCE is defined before its first inclusion, which the
// header of a module cannot ensure. The type of the first parameter is posix_spawn_file_actions_t *. It is not named
// here, because the types of <spawn.h> would then belong to this module instead of Glibc.
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);
