/* SPDX-License-Identifier: MIT */
#include "vectors/vector.h"

#include "test_load.h"

#define STEPS(steps) FILE_OF(CASE_WITH("", steps))
#define WS_STEPS(steps) FILE_OF(CASE_WITH("\"transports\":[\"websocket\"],", steps))
#define WHOLE CONNECT "{\"barrier\":\"heartbeat\"}"

START_TEST(a_good_file)
{
    vectors_t vectors = {0};
    text_t error = {0};
    ck_assert_msg(
        load_vectors(
            FILE_OF(CASE_WITH(
                "\"needs\":[\"reply\"],\"formerly\":[\"h.old\"],\"tags\":[\"refs\"],"
                "\"phoenix\":[{\"until\":\"1.8.2\"},{\"since\":\"1.8.12\"}],"
                "\"source\":[{\"bug\":\"a/"
                "b.js#12\",\"note\":\"n\"},{\"phoenix\":\"1.8.0-rc.1\"},{\"recording\":\"j.ok\"},"
                "{\"url\":\"https://a\"}],"
                "\"known_defects\":[{\"phoenix\":{\"since\":\"1.8.3\",\"until\":\"1.8.11\"},"
                "\"does\":\"drops "
                "it\",\"link\":\"CVE-2026-1\"}],\"vsn\":[\"2.0.0\"],\"mount\":{\"websocket\":\"main\","
                "\"longpoll\":"
                "\"tight\"},",
                CONNECT
                "{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{}]},"
                "{\"expect\":[{\"$capture\":\"j\"},\"1\",\"${topic}\",\"phx_reply\",{\"$any\":true}]},"
                "{\"send\":[\"${j}\",\"2\",\"${topic}\",\"echo\",{}],\"note\":\"why\"},"
                "{\"barrier\":\"heartbeat\"}")),
            &vectors, &error),
        "%s", text_str(&error));
    ck_assert_uint_eq(vectors.len, 1);
    const vector_case_t *c = &vectors.cases[0];
    ck_assert_str_eq(c->id, "g.c");
    ck_assert_int_eq(c->level, LEVEL_MUST);
    ck_assert_uint_eq(c->len, 5);
    ck_assert_int_eq(c->steps[4].verb, VERB_BARRIER);
    ck_assert(c->vsns[VSN_2] && !c->vsns[VSN_1] && c->transports[WEBSOCKET] && c->transports[LONGPOLL]);
    ck_assert(c->mount[WEBSOCKET] == MOUNT_MAIN && c->mount[LONGPOLL] == MOUNT_TIGHT);

    release_t release;
    ck_assert(release_parse("1.8.11", &release));
    ck_assert(!releases_contain(&c->phoenix, &release));
    ck_assert_uint_eq(c->defect_count, 1);
    ck_assert(releases_contain(&c->defects[0].releases, &release));
    ck_assert_str_eq(c->defects[0].does, "drops it");
    ck_assert_str_eq(c->defects[0].link, "CVE-2026-1");
    ck_assert_uint_eq(json_array_size(c->formerly), 1);
    ck_assert_uint_eq(json_array_size(c->tags), 1);

    json_t *requirements = json_object();
    ck_assert(!vectors_check_requirements(&vectors, requirements, &error));
    assert_says(&error, "case g.c: requirements: JREF-02");
    json_object_set_new(requirements, "JREF-02", json_object());
    ck_assert(vectors_check_requirements(&vectors, requirements, &error));
    json_decref(requirements);
    vectors_free(&vectors);
}
END_TEST

/* Every error names the file (the harness of the test has a temporary name), and where there is one the case
 * and step. */
static const struct {
    const char *text, *says;
} broken[] = {
    {"", "/tmp/phxspec-vector-"},
    {"{\"vectors\":1,", "/tmp/phxspec-vector-"},
    {"{\"vectors\":1,\"vectors\":1}", "/tmp/phxspec-vector-"},
    {FILE_OF(CASE_WITH("\"formerly\":[\"g.b\",\"g.c\"],", WHOLE)), "formerly: this is the id it still has"},
    {FILE_OF(CASE_WITH("\"formerly\":[\"b\"],", WHOLE)), "formerly: \"b\" is not known here"},
    {FILE_OF(CASE_WITH("", WHOLE) ",{\"id\":\"g.d\",\"formerly\":[\"g.c\"]}"),
     "case g.d: formerly: \"g.c\" is case g.c of"},
    {FILE_OF(CASE_WITH("\"formerly\":[\"g.d\"],", WHOLE) ",{\"id\":\"g.d\"}"),
     "case g.d: id: \"g.d\" is case g.c of"},
    {WS_STEPS("{\"connect\":\"a\",\"subprotocols\":[]}"), "step 1 (connect): subprotocols: a list"},
    {WS_STEPS("{\"connect\":\"a\",\"subprotocols\":[1]}"), "step 1 (connect): subprotocols: a list"},
    {STEPS("{\"connect\":\"a\",\"subprotocols\":[\"phoenix\"]}"),
     "subprotocols: long-poll has no subprotocols"},
    {WS_STEPS("{\"connect\":\"a\",\"subprotocols\":[\"x\"],\"headers\":{\"sec-websocket-protocol\":\"x\"}}"),
     "subprotocols: the header sec-websocket-protocol says the same"},
    {FILE_OF(CASE_WITH("\"tags\":[\"A b\"],", WHOLE)), "tags: \"A b\" is not known here"},
    {FILE_OF(CASE_WITH("\"phoenix\":{\"since\":\"1.8.12\",\"until\":\"1.8.3\"},", WHOLE)),
     "case g.c: phoenix: since is newer than until"},
    {FILE_OF(CASE_WITH("\"source\":[],", WHOLE)), "source: a list of"},
    {FILE_OF(CASE_WITH("\"source\":[{\"note\":\"n\"}],", WHOLE)), "source: a recording, a bug"},
    {FILE_OF(CASE_WITH("\"source\":[{\"bug\":\"a b#3\"}],", WHOLE)), "source: bug: OWNER/NAME#N"},
    {FILE_OF(CASE_WITH("\"source\":[{\"phoenix\":\"since 1.8\"}],", WHOLE)), "source: phoenix: a release"},
    {FILE_OF(CASE_WITH("\"source\":[{\"url\":\"http://a\"}],", WHOLE)), "source: url: an https://"},
    {FILE_OF(CASE_WITH("\"source\":[{\"recording\":\"join\"}],", WHOLE)), "source: recording: FILE.SESSION"},
    {FILE_OF(CASE_WITH("\"known_defects\":[],", WHOLE)), "known_defects: a list of"},
    {FILE_OF(CASE_WITH("\"known_defects\":[{\"phoenix\":{\"since\":\"1\"},\"does\":\"d\",\"link\":\"x\"}],",
                       WHOLE)),
     "known_defects: since: a release"},
    {FILE_OF(CASE_WITH("\"known_defects\":[{\"does\":\"d\",\"link\":\"x\"}],", WHOLE)),
     "known_defects: phoenix: which releases"},
    {FILE_OF(CASE_WITH(
         "\"known_defects\":[{\"phoenix\":{\"since\":\"1.8.3\"},\"does\":\"d\",\"link\":\"x\"}],", WHOLE)),
     "known_defects: link: OWNER/NAME#N"},
    {"{\"vectors\":2,\"group\":\"g\",\"about\":\"a\",\"cases\":[]}", "vectors: this phxspec reads version 1"},
    {"{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":[]}", "cases: a list"},
    {"{\"vectors\":1,\"group\":\"g\",\"cases\":[]}", "about: a string"},
    {"{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":[],\"x\":1}", "x: no such member; known are"},
    {FILE_OF("{}"), "id: a string is needed here"},
    {FILE_OF("{\"id\":\"h.c\"}"), "case h.c: id: an id is the name of the group"},
    {FILE_OF("{\"id\":\"g.c\"}"), "case g.c: steps: a list"},
    {FILE_OF("{\"id\":\"g.c\"}"), "case g.c: level: must, should or may"},
    {FILE_OF("{\"id\":\"g.c\"}"), "case g.c: requirements: every case cites"},
    {FILE_OF(CASE_WITH("\"x\":1,", WHOLE)), "case g.c: x: no such member"},
    {FILE_OF(CASE_WITH("\"needs\":[\"x\"],", WHOLE)), "case g.c: needs: \"x\" is not known"},
    {FILE_OF(CASE_WITH("\"vsn\":[\"3.0.0\"],", WHOLE)), "case g.c: vsn: \"3.0.0\""},
    {FILE_OF(CASE_WITH("\"transports\":[],", WHOLE)), "case g.c: transports"},
    {FILE_OF(CASE_WITH("\"mount\":\"x\",", WHOLE)), "case g.c: mount: main, tight or sub"},
    {FILE_OF(CASE_WITH("\"when\":{\"x\":1},", WHOLE)), "case g.c: when"},
    {FILE_OF(CASE_WITH("", WHOLE) "," CASE_WITH("", WHOLE)), "case g.c: id: "},
    {STEPS("{}"), "case g.c, step 1: a step has one verb"},
    {STEPS(CONNECT "{\"send\":[1,2,3,4,5],\"expect\":[1,2,3,4,5]}"), "case g.c, step 2: a step has one verb"},
    {STEPS("{\"barrier\":\"heartbeat\"}"), "case g.c, step 1 (barrier): no client \"a\""},
    {STEPS(CONNECT "{\"barrier\":\"heartbeat\",\"on\":\"b\"}"),
     "case g.c, step 2 (barrier): on: no such client"},
    {STEPS(CONNECT "{\"barrier\":\"x\"}"), "step 2 (barrier): barrier: \"heartbeat\""},
    {STEPS(CONNECT "{\"connect\":\"a\"}"), "step 2 (connect): connect: this name is in use"},
    {STEPS(CONNECT "{\"send\":[1,2]}"), "step 2 (send): send: a message is a list"},
    {STEPS(CONNECT "{\"send\":[1,2,3,4,5],\"x\":1}"), "step 2 (send): x: this step has no such member"},
    {STEPS(CONNECT "{\"send\":[1,2,\"${nosuch}\",4,5]}"),
     "step 2 (send): send[2]: nothing is known as \"${nosuch}\""},
    {STEPS(CONNECT "{\"send\":[1,2,\"${j}\",4,5]},{\"expect\":[{\"$capture\":\"j\"},2,3,4,5]}"),
     "step 2 (send)"},
    {STEPS(CONNECT "{\"expect\":[{\"$nosuch\":1},2,3,4,5]}"),
     "step 2 (expect): expect[0].$nosuch: no such matcher"},
    {STEPS(CONNECT "{\"expect\":[1,2,3,4,5],\"within\":{\"timer\":\"x\"}}"),
     "step 2 (expect): within: {\"timer\""},
    {STEPS(CONNECT "{\"expect\":[1,2,3,4,{\"$base64\":\"\"}]}"),
     "step 2 (expect): expect: a binary payload needs"},
    {STEPS(CONNECT "{\"unordered\":[[[1,2,3,4,5]]]}"), "step 2 (unordered): unordered: at least two"},
    {STEPS(CONNECT "{\"send_frames\":[{\"opcode\":\"ping\"}]}"),
     "step 2 (send_frames): long-poll has no frames"},
    {WS_STEPS(CONNECT "{\"send_frames\":[{\"bytes\":[1]}]}"),
     "step 2 (send_frames): send_frames[0]: a frame has an opcode"},
    {WS_STEPS(CONNECT "{\"send_frames\":[{\"opcode\":1,\"bytes\":[256]}]}"), "not a part"},
    {WS_STEPS(CONNECT "{\"send_frames\":[{\"opcode\":1,\"x\":1}]}"), "send_frames[0].x: no such member"},
    {STEPS("{\"wait\":{\"ms\":100}}"), "step 1 (wait): wait: a timer of the profile"},
    {STEPS("{\"http\":{\"method\":\"GET\",\"path\":\"/\"}}"), "step 1 (http): http: an exchange is either"},
    {STEPS("{\"http\":{\"path\":\"/\"},\"as\":\"x\"}"), "step 1 (http): http: a request has a method"},
    {STEPS("{\"http\":{\"method\":\"GET\",\"path\":\"/\",\"x\":1},\"as\":\"x\"}"), "http.x: no such member"},
    {STEPS("{\"response\":\"x\",\"expect\":{\"status\":200}}"), "step 1 (response): response: no exchange"},
    {STEPS("{\"drop\":\"x\"}"), "step 1 (drop): drop: no connection"},
    {STEPS("{\"connect\":\"a\",\"refused\":\"403\"}"), "step 1 (connect): refused: a status"},
    {STEPS("{\"connect\":\"a\",\"params\":{\"a\":1}}"), "step 1 (connect): params.a: a string"},
};

START_TEST(broken_files_are_told_by_file_case_and_step)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        vectors_t vectors = {0};
        text_t error = {0};
        ck_assert_msg(!load_vectors(broken[i].text, &vectors, &error), "was taken: %s", broken[i].text);
        ck_assert_msg(strncmp(text_str(&error), "/tmp/phxspec-vector-", 20) == 0, "no file: %s",
                      text_str(&error));
        assert_says(&error, broken[i].says);
        vectors_free(&vectors);
    }
}
END_TEST

START_TEST(every_flaw_is_told)
{
    vectors_t vectors = {0};
    text_t error = {0};
    ck_assert(!load_vectors(STEPS(CONNECT "{\"send\":1},{\"nosuch\":1},{\"barrier\":1,\"on\":\"z\"}"),
                            &vectors, &error));
    ck_assert(strstr(text_str(&error), "step 2 (send)") && strstr(text_str(&error), "step 3:"));
    ck_assert(strstr(text_str(&error), "step 4 (barrier): barrier"));
    assert_says(&error, "step 4 (barrier): on");
    vectors_free(&vectors);
}
END_TEST

START_TEST(folders)
{
    char path[] = "/tmp/phxspec-vectors-XXXXXX";
    ck_assert(mkdtemp(path) != NULL);
    vectors_t vectors = {0};
    text_t error = {0};
    ck_assert(!vectors_add_folder(&vectors, path, &error));
    assert_says(&error, path);
    rmdir(path);
    ck_assert(!vectors_add_folder(&vectors, path, &error));
    assert_says(&error, path);
    vectors_free(&vectors);
}
END_TEST

TEST_MAIN("vector", a_good_file, broken_files_are_told_by_file_case_and_step, every_flaw_is_told, folders)
