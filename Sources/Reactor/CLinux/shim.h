#pragma once
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// <pthread.h> declares it only if _GNU_SOURCE is defined, which the header of a module cannot define any more.
extern int pthread_setname_np(pthread_t thread, const char *name);
