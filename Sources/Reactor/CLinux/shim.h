#pragma once
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// In <pthread.h> for _GNU_SOURCE only, which a module's header can no longer define.
extern int pthread_setname_np(pthread_t thread, const char *name);
