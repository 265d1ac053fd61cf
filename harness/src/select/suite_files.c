/* SPDX-License-Identifier: MIT */
#include "select/suite_files.h"

#include "vectors/built_in.h"
#include "vectors/requirements.h"

#include <stdlib.h>
#include <unistd.h>

const char *suite_folder(const char *option)
{
    const char *environment = getenv("PHXSPEC_VECTORS");
    if (option) {
        return option;
    }
    if (environment && *environment) {
        return environment;
    }
    return access(BUILT_IN_VECTORS, R_OK) == 0 ? BUILT_IN_VECTORS : "vectors";
}

bool suite_folder_check(const char *folder, text_t *error)
{
    text_t path = {0};
    text_printf(&path, "%s/requirements.json", folder);
    bool good = access(text_str(&path), F_OK) == 0;
    text_free(&path);
    if (!good) {
        text_printf(error,
                    "%s is no folder of vectors: requirements.json is not in it; --vectors DIR or "
                    "$PHXSPEC_VECTORS tells where one is\n",
                    folder);
    }
    return good;
}

static bool load(const char *folder, const char *part, suite_files_t *files, text_t *error)
{
    text_t cases = {0}, requirements = {0};
    files->folder = folder;
    text_printf(&cases, "%s/%s", folder, part);
    text_printf(&requirements, "%s/requirements.json", folder);
    bool good = vectors_add_folder(&files->vectors, text_str(&cases), error);
    files->requirements = requirements_load(text_str(&requirements), error);
    text_free(&cases);
    text_free(&requirements);
    return files->requirements && good &&
           vectors_check_requirements(&files->vectors, files->requirements, error);
}

bool suite_files_load(const char *folder, suite_files_t *files, text_t *error)
{
    return suite_folder_check(folder, error) && load(folder, "server", files, error);
}

bool suite_files_use(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error)
{
    text_t path = {0};
    text_printf(&path, "%s/%s-beginnings.json", folder, dialect->part);
    files->beginnings = jvalue_parse_file(text_str(&path), error);
    text_free(&path);
    files->vectors.dialect = dialect;
    files->vectors.beginnings = json_object_get(files->beginnings, "beginnings");
    return files->beginnings != NULL;
}

bool suite_files_load_part(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error)
{
    return suite_folder_check(folder, error) && suite_files_use(folder, dialect, files, error) &&
           load(folder, dialect->part, files, error);
}

bool suite_files_load_any(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error)
{
    text_t path = {0};
    text_printf(&path, "%s/%s", folder, dialect->part);
    bool there = access(text_str(&path), F_OK) == 0;
    text_free(&path);
    return !there || suite_files_load_part(folder, dialect, files, error);
}

void suite_files_free(suite_files_t *files)
{
    vectors_free(&files->vectors);
    json_decref(files->requirements);
    json_decref(files->beginnings);
    *files = (suite_files_t){0};
}
