/* SPDX-License-Identifier: MIT */
#include "client_suite/outlet.h"

#include "net/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool open_ends(const char *path, int *read_end, int *write_end)
{
    *read_end = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *write_end = *read_end >= 0 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (*read_end >= 0 && *write_end < 0) {
        close(*read_end);
    }
    return *write_end >= 0 && fcntl(*read_end, F_SETFL, 0) == 0; /* blocks, as programs expect of stdin */
}

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

bool outlet_open(int *read_end, int *write_end)
{
    text_t path = {0};
    text_printf(&path, "%s/phxspec-XXXXXX", temporary_folder());
    bool made = mkdtemp(path.at) != NULL;
    size_t len = path.len;
    text_puts(&path, "/events");
    bool good = made && mkfifo(path.at, 0600) == 0;
    if (good) {
        good = open_ends(path.at, read_end, write_end);
        unlink(path.at);
    }
    int failure = errno;
    path.at[len] = '\0';
    if (made) {
        rmdir(path.at);
    }
    text_free(&path);
    errno = failure;
    return good;
}

bool outlet_possible(text_t *why)
{
    int ends[2];
    if (!outlet_open(&ends[0], &ends[1])) {
        text_printf(
            why,
            "no FIFO can be made in %s ($TMPDIR, or else /tmp): %s; when a driver wrote is then known by "
            "when it was read, and a busy machine makes more cases end as a harness error\n",
            temporary_folder(), strerror(errno));
        return false;
    }
    close(ends[0]);
    close(ends[1]);
    return true;
}

double outlet_written_at(int end)
{
    struct stat status;
    struct timespec now;
    if (fstat(end, &status) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return 0;
    }
    double age = (double)(now.tv_sec - status.st_mtim.tv_sec) * 1e3 +
                 (double)(now.tv_nsec - status.st_mtim.tv_nsec) / 1e6;
    return clock_ms() - age;
}
