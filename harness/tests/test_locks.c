/* SPDX-License-Identifier: MIT */
#include "replay/locks.h"
#include "test_util.h"

START_TEST(a_topic_is_taken_on_one_server)
{
    recording_t one = {0}, two = {0};
    names_add_list(&one.locks, "room:1,user:a");
    names_add_list(&two.locks, "room:2,user:a");
    const lock_user_t users[] = {{&one, "old"}, {&one, "new"}, {&two, "old"}, {&two, NULL}};
    locks_t *locks = locks_new(users, 4);
    locks_take(locks, 0);
    ck_assert(!locks_are_free(locks, 0));
    ck_assert(locks_are_free(locks, 1)); /* the same topics on another server */
    ck_assert(!locks_are_free(locks, 2));
    ck_assert(locks_are_free(locks, 3));
    locks_release(locks, 0);
    ck_assert(locks_are_free(locks, 0) && locks_are_free(locks, 2));
    locks_free(locks);
    names_free(&one.locks);
    names_free(&two.locks);
}
END_TEST

TEST_MAIN("locks", a_topic_is_taken_on_one_server)
