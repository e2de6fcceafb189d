#pragma once
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// <pthread.h> declares this function only if _GNU_SOURCE is defined before its first inclusion. The header of a module
// cannot ensure that.
extern int pthread_setname_np(pthread_t thread, const char *name);
