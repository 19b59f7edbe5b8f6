#include "place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void place_make(struct place *place)
{
    strcpy(place->directory, "/tmp/pytrace-test-XXXXXX");
    if (!mkdtemp(place->directory))
        abort();
    snprintf(place->trace, sizeof place->trace, "%s/trace.bin", place->directory);
}

void place_remove(const struct place *place)
{
    DIR *directory = opendir(place->directory);
    for (const struct dirent *entry = directory ? readdir(directory) : NULL; entry; entry = readdir(directory))
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    rmdir(place->directory);
}

void place_remove_arena(const char *directory)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unlinkat(descriptor, "arena", 0);
    unlinkat(descriptor, "trace", 0);
    close(descriptor);
    rmdir(directory);
}
