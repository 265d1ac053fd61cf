/* SPDX-License-Identifier: MIT */
#include "vectors/requirements.h"

#include "test_util.h"

#include <string.h>
#include <unistd.h>

#define RULE                                                                                                 \
    "{\"id\":\"JREF-02\",\"level\":\"must\",\"role\":\"server\",\"text\":\"A "                               \
    "push.\",\"since\":[\"1.8.12\"]}"

static json_t *load(const char *text, text_t *error)
{
    char path[] = "/tmp/phxspec-requirements-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    json_t *requirements = requirements_load(path, error);
    unlink(path);
    return requirements;
}

START_TEST(rules_by_id)
{
    text_t error = {0}, out = {0};
    json_t *requirements = load("{\"requirements\":1,\"sections\":[],\"rules\":[" RULE "]}", &error);
    ck_assert_msg(requirements != NULL, "%s", text_str(&error));
    ck_assert_uint_eq(json_object_size(requirements), 1);
    ck_assert(json_object_get(requirements, "JREF-02") != NULL);
    requirement_write(&out, requirements, "JREF-02");
    assert_text(&out, "JREF-02 (must, server): A push.");
    json_decref(requirements);
}
END_TEST

static const struct {
    const char *text, *says;
} broken[] = {
    {"", "/tmp/phxspec-requirements-"},
    {"[" RULE "]", "no requirements of version 1"},
    {"{\"rules\":[" RULE "]}", "no requirements of version 1"},
    {"{\"requirements\":2,\"rules\":[" RULE "]}", "no requirements of version 1"},
    {"{\"requirements\":1,\"rules\":{}}", "no requirements of version 1"},
    {"{\"requirements\":1,\"rules\":[" RULE "," RULE "]}", "rule 2: JREF-02 is there twice"},
    {"{\"requirements\":1,\"rules\":[" RULE ",7]}", "rule 2: id, level"},
    {"{\"requirements\":1,\"rules\":[{\"id\":\"A-01\",\"level\":\"shall\",\"role\":\"server\",\"text\":\"t\"}"
     "]}",
     "rule 1, A-01: id, level (must, should, may)"},
    {"{\"requirements\":1,\"rules\":[{\"id\":\"A-01\",\"level\":\"may\",\"role\":\"server\"}]}",
     "rule 1, A-01"},
};

START_TEST(broken_files)
{
    for (size_t n = 0; n < sizeof broken / sizeof *broken; n++) {
        text_t error = {0};
        ck_assert_msg(load(broken[n].text, &error) == NULL, "%s", broken[n].text);
        ck_assert_msg(strncmp(text_str(&error), "/tmp/phxspec-requirements-", 26) == 0, "no file: %s",
                      text_str(&error));
        assert_says(&error, broken[n].says);
    }
}
END_TEST

TEST_MAIN("requirements", rules_by_id, broken_files)
