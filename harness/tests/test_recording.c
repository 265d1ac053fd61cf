/* SPDX-License-Identifier: MIT */
#include "replay/recording.h"
#include "replay/rules.h"
#include "test_util.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADER(events)                                                                                       \
    "{\"recording\":1,\"scenario\":\"join.ok\",\"title\":\"A join\",\"group\":\"join\","                     \
    "\"transport\":\"websocket\",\"vsn\":\"2.0.0\","                                                         \
    "\"server\":{\"name\":\"phoenix\",\"version\":\"1.8.12\",\"adapter\":\"bandit\"},\"config\":{},"         \
    "\"connections\":{\"a\":{\"url\":\"/socket/"                                                             \
    "websocket?vsn=2.0.0&user_id=u1\",\"transport\":\"websocket\","                                          \
    "\"vsn\":\"2.0.0\",\"request_headers\":{},\"status\":101,\"response_headers\":{\"x\":\"y\"}}},"          \
    "\"needs\":[\"presence\"],\"events\":" events "}\n"
#define OUT                                                                                                  \
    "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"out\",\"kind\":\"text\","                                          \
    "\"text\":\"[\\\"1\\\",\\\"1\\\",\\\"phxspec:a\\\",\\\"phx_join\\\",{\\\"topic\\\":\\\"b\\\"}]\"}\n"
#define IN "{\"t_ms\":2.5,\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"close\",\"code\":1000,\"reason\":\"\"}\n"

/* Loads a file of these bytes; its name ends in `suffix`. */
static bool load(recordings_t *recordings, const char *bytes, const char *suffix, text_t *error)
{
    char path[64];
    snprintf(path, sizeof path, "recording-%d%s", (int)getpid(), suffix);
    FILE *file = fopen(path, "wb");
    ck_assert(file != NULL);
    fwrite(bytes, 1, strlen(bytes), file);
    fclose(file);
    bool ok = recordings_load(recordings, path, error);
    remove(path);
    return ok;
}

START_TEST(packed_recordings)
{
    recordings_t recordings = {0};
    text_t error = {0};
    ck_assert_msg(load(&recordings, HEADER("2") OUT IN HEADER("1") OUT, ".jsonl", &error), "%s", error.at);
    ck_assert_uint_eq(recordings.len, 2);
    const recording_t *recording = recordings.at[0];
    ck_assert_str_eq(recording->name, "phoenix-1.8.12-bandit/join.ok.ws.v2");
    ck_assert(names_have(&recording->needs, "presence"));
    ck_assert_uint_eq(recording->events_len, 2);
    ck_assert(recording->events[0].frame.has_message);
    ck_assert_str_eq(message_topic(&recording->events[0].frame.message), "phxspec:a");
    ck_assert(recording->events[0].frame.masked);
    ck_assert_uint_eq(recording->events[1].frame.code, 1000);
    ck_assert(recording->duration_ms == 2.5);
    ck_assert(names_have(&recording->locks, "topic phxspec:a"));
    ck_assert(names_have(&recording->locks, "topic b"));
    ck_assert(names_have(&recording->locks, "id user:u1"));
    recordings_free(&recordings);
}
END_TEST

START_TEST(a_single_run)
{
    recordings_t recordings = {0};
    text_t error = {0};
    ck_assert_msg(load(&recordings, HEADER("[" OUT "," IN "]"), ".json", &error), "%s", error.at);
    ck_assert_uint_eq(recordings.at[0]->events_len, 2);
    recordings_free(&recordings);
}
END_TEST

START_TEST(runs_and_base64_and_polls)
{
    recordings_t recordings = {0};
    text_t error = {0};
    ck_assert_msg(
        load(&recordings,
             HEADER("4") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"out\",\"kind\":\"text\",\"text_runs\":[\"<\",["
                         "\"x\",3],\">\"]}\n"
                         "{\"t_ms\":2,\"conn\":\"a\",\"dir\":\"out\",\"kind\":\"binary\",\"base64\":\"AAE=\","
                         "\"fin\":false,"
                         "\"rsv\":4,\"masked\":false}\n"
                         "{\"t_ms\":3,\"conn\":\"a\",\"dir\":\"out\",\"kind\":\"opcode-11\",\"text\":\"\"}\n"
                         "{\"t_ms\":4,\"conn\":\"a\",\"kind\":\"http\",\"done_ms\":9,\"request\":{\"method\":"
                         "\"GET\","
                         "\"path\":\"/"
                         "p\",\"query\":\"\",\"headers\":{}},\"response\":{\"status\":200,\"headers\":{},"
                         "\"body\":\"{\\\"status\\\":200,\\\"token\\\":\\\"T\\\",\\\"messages\\\":["
                         "\\\"[null,null,\\\\\\\"t\\\\\\\",\\\\\\\"e\\\\\\\",{}]\\\","
                         "\\\"\\\\u0002\\\\u0001\\\\u0001tex\\\"]}\"}}\n",
             ".jsonl", &error),
        "%s", error.at);
    const recorded_event_t *events = recordings.at[0]->events;
    assert_span(text_span(&events[0].frame.bytes), SPAN("<xxx>"));
    assert_span(text_span(&events[1].frame.bytes), SPAN("\x00\x01"));
    ck_assert(!events[1].frame.fin && events[1].frame.rsv == 4 && !events[1].frame.masked);
    ck_assert_uint_eq(events[2].frame.opcode, 11);
    ck_assert_int_eq(events[3].http.poll_status, 200);
    ck_assert_uint_eq(events[3].http.messages_len, 2);
    ck_assert(events[3].http.messages[0].has_message);
    ck_assert(events[3].http.messages[1].message.binary);
    ck_assert(recordings.at[0]->duration_ms == 9);
    recordings_free(&recordings);
}
END_TEST

START_TEST(broken_files_are_told)
{
    static const struct {
        const char *bytes, *place, *says;
    } cases[] = {
        {HEADER("3") OUT IN,
         ".jsonl:3:", "ends after 2 of the 3 events of phoenix-1.8.12-bandit/join.ok.ws.v2"},
        {HEADER("2") OUT HEADER("1") OUT, ".jsonl:3:", "cut short"},
        {HEADER("1") "{\"t_ms\":1,", ".jsonl:2:", "not JSON"},
        {OUT, ".jsonl:1:", "not the header"},
        {HEADER("-1"), ".jsonl:1:", "\"events\""},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"b\",\"dir\":\"in\",\"kind\":\"text\"}\n",
         ".jsonl:2:", "connection \"b\""},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"up\",\"kind\":\"text\"}\n",
         ".jsonl:2:", "\"dir\""},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"tex\"}\n",
         ".jsonl:2:", "\"kind\" is \"tex\""},
        {HEADER("1") "{\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"text\"}\n",
         ".jsonl:2:", "\"t_ms\" must be a number"},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"binary\",\"base64\":\"?\"}\n",
         ".jsonl:2:", "not base64"},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"text\",\"text\":7}\n",
         ".jsonl:2:", "must be a string"},
        {HEADER(
             "1") "{\"t_ms\":1,\"conn\":\"a\",\"dir\":\"in\",\"kind\":\"text\",\"text_runs\":[[\"ab\",3]]}\n",
         ".jsonl:2:", "pairs"},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"kind\":\"http\",\"done_ms\":2,\"request\":{\"method\":"
                     "\"GET\"}}\n",
         ".jsonl:2:", "\"path\""},
        {HEADER("1") "{\"t_ms\":1,\"conn\":\"a\",\"kind\":\"http\",\"done_ms\":2}\n",
         ".jsonl:2:", "\"request\""},
        {"{\"recording\":1,\"config\":[]}\n", ".jsonl:1:", "\"config\""},
        {"{\"recording\":2}\n", ".jsonl:1:", "format 1"},
        {"{\"recording\":1,\"config\":{},\"scenario\":\"s\",\"title\":\"t\",\"group\":\"g\",\"transport\":"
         "\"websocket\","
         "\"vsn\":\"3\"}\n",
         ".jsonl:1:", "\"vsn\""},
        {"[]\n", ".jsonl:1:", "not the header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        recordings_t recordings = {0};
        text_t error = {0};
        ck_assert_msg(!load(&recordings, cases[i].bytes, ".jsonl", &error), "case %zu", i);
        ck_assert_msg(strstr(error.at, cases[i].place) != NULL, "%s", error.at);
        assert_says(&error, cases[i].says);
        recordings_free(&recordings);
    }
    recordings_t none = {0};
    text_t error = {0};
    ck_assert(!recordings_load(&none, "no-such-file", &error));
    assert_says(&error, "no-such-file");
}
END_TEST

/* Every prefix of a file is an error or a shorter list of whole recordings; none crashes. */
START_TEST(a_file_cut_anywhere)
{
    static const char whole[] = HEADER("2") OUT IN HEADER("1") OUT;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *cut = strdup(whole);
        cut[len] = '\0';
        recordings_t recordings = {0};
        text_t error = {0};
        bool ok = load(&recordings, cut, ".jsonl", &error);
        bool between = len == 0 || strcmp(cut, HEADER("2") OUT IN) == 0 || len + 1 == sizeof whole - 1 ||
                       len + 1 == strlen(HEADER("2") OUT IN);
        ck_assert_msg(ok == between, "%zu bytes: %s", len, text_str(&error));
        text_free(&error);
        recordings_free(&recordings);
        free(cut);
    }
}
END_TEST

START_TEST(rules_are_checked)
{
    static const char *const wrong[][2] = {
        {"{}", "\"rules\""},
        {"{\"rules\":[{\"scenario\":\"x\"}]}", "\"why\""},
        {"{\"rules\":[{\"scenario\":\"x\",\"why\":\"y\",\"fre\":[]}]}", "\"fre\""},
        {"{\"rules\":[{\"scenario\":\"x\",\"why\":\"y\",\"free\":[{}]}]}", "names something"},
        {"{\"rules\":[{\"scenario\":\"x\",\"why\":\"y\",\"optional\":[{\"evnt\":1}]}]}", "\"evnt\""},
        {"[", ":1:"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[64];
        snprintf(path, sizeof path, "rules-%d.json", (int)getpid());
        FILE *file = fopen(path, "w");
        fputs(wrong[i][0], file);
        fclose(file);
        text_t error = {0};
        ck_assert_msg(rules_load(path, &error) == NULL, "case %zu", i);
        assert_says(&error, wrong[i][1]);
        remove(path);
    }
}
END_TEST

TEST_MAIN("recording", packed_recordings, a_single_run, runs_and_base64_and_polls, broken_files_are_told,
          a_file_cut_anywhere, rules_are_checked)
