/* SPDX-License-Identifier: MIT */
#include "send_queue.h"

#include <string.h>

#include "test_util.h"

enum { MAX = 65536 };

static uint8_t scratch[MAX];
static budget_t budget;

static shared_bytes_t *piece(size_t len, uint8_t fill)
{
    char *text = malloc(len + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, fill, len);
    shared_bytes_t *bytes =
        shared_bytes_new((phx_slice_t){text, len / 2}, (phx_slice_t){text, len - len / 2});
    ck_assert_ptr_nonnull(bytes);
    free(text);
    return bytes;
}

START_TEST(shared_bytes_join_head_and_tail)
{
    shared_bytes_t *bytes = shared_bytes_new(PHX_SLICE("head "), PHX_SLICE("tail"));
    assert_slice(((phx_slice_t){(char *)bytes->data, bytes->len}), PHX_SLICE("head tail"));
    ck_assert_ptr_eq(shared_bytes_hold(bytes), bytes);
    ck_assert_uint_eq(bytes->holders, 2);
    shared_bytes_release(bytes);
    ck_assert_uint_eq(bytes->holders, 1);
    shared_bytes_release(bytes);
    shared_bytes_release(NULL);

    bytes = shared_bytes_new((phx_slice_t){0}, (phx_slice_t){0});
    ck_assert_uint_eq(bytes->len, 0);
    send_queue_t queue = {0};
    ck_assert(send_queue_push(&queue, bytes, &budget));
    ck_assert_uint_eq(bytes->holders, 1); /* nothing to hold it for */
    shared_bytes_release(bytes);
}
END_TEST

START_TEST(small_pieces_are_put_together)
{
    send_queue_t queue = {0};
    for (uint8_t i = 0; i < 10; i++) {
        shared_bytes_t *bytes = piece(2, (uint8_t)('a' + i));
        ck_assert(send_queue_push(&queue, bytes, &budget));
        ck_assert_uint_eq(bytes->holders, 2);
        shared_bytes_release(bytes);
    }
    ck_assert_uint_eq(queue.len, 20);
    assert_slice(send_queue_next(&queue, scratch, MAX), PHX_SLICE("aabbccddeeffgghhiijj"));
    send_queue_consume(&queue, 3, &budget);
    assert_slice(send_queue_next(&queue, scratch, 4), PHX_SLICE("bccd"));
    send_queue_consume(&queue, 17, &budget);
    ck_assert_uint_eq(queue.len, 0);
    assert_slice(send_queue_next(&queue, scratch, MAX), PHX_SLICE(""));
    ck_assert_ptr_null(queue.pieces);
}
END_TEST

START_TEST(what_is_large_or_alone_is_not_copied)
{
    send_queue_t queue = {0};
    shared_bytes_t *small = piece(5, 's');
    shared_bytes_t *large = piece(100000, 'l');
    ck_assert(send_queue_push(&queue, small, &budget));
    phx_slice_t next = send_queue_next(&queue, scratch, MAX);
    ck_assert_ptr_eq(next.data, (char *)small->data);
    send_queue_consume(&queue, 5, &budget);

    ck_assert(send_queue_push(&queue, large, &budget));
    ck_assert(send_queue_push(&queue, small, &budget));
    next = send_queue_next(&queue, scratch, MAX);
    ck_assert_ptr_eq(next.data, (char *)large->data);
    ck_assert_uint_eq(next.len, MAX);
    send_queue_consume(&queue, next.len, &budget);
    next = send_queue_next(&queue, scratch, MAX);
    ck_assert_ptr_eq(next.data, (char *)large->data + MAX);
    ck_assert_uint_eq(next.len, 100000 - MAX);
    send_queue_consume(&queue, next.len, &budget);
    assert_slice(send_queue_next(&queue, scratch, MAX), PHX_SLICE("sssss"));
    send_queue_clear(&queue, &budget);
    ck_assert_uint_eq(small->holders, 1);
    ck_assert_uint_eq(large->holders, 1);
    shared_bytes_release(small);
    shared_bytes_release(large);
}
END_TEST

/* Whatever is pushed and consumed, the bytes come out in order and all of them. */
START_TEST(random_use)
{
    rng_t rng = rng_new();
    send_queue_t queue = {0};
    size_t pushed = 0, consumed = 0;
    for (int step = 0; step < 20000; step++) {
        if (rng_below(&rng, 2) == 0) {
            char text[300];
            const size_t len = rng_below(&rng, sizeof text);
            for (size_t i = 0; i < len; i++) {
                text[i] = (char)((pushed + i) % 251);
            }
            shared_bytes_t *bytes = shared_bytes_new((phx_slice_t){text, len}, (phx_slice_t){0});
            ck_assert(send_queue_push(&queue, bytes, &budget));
            shared_bytes_release(bytes);
            pushed += len;
        } else {
            const size_t max = 1 + rng_below(&rng, 600);
            const phx_slice_t next = send_queue_next(&queue, scratch, max);
            ck_assert_uint_le(next.len, max);
            ck_assert((next.len == 0) == (pushed == consumed));
            bool right = true;
            for (size_t i = 0; i < next.len; i++) {
                right = right && (uint8_t)next.data[i] == (consumed + i) % 251;
            }
            ck_assert(right);
            const size_t taken = next.len > 0 ? rng_below(&rng, next.len + 1) : 0;
            send_queue_consume(&queue, taken, &budget);
            consumed += taken;
        }
        ck_assert_uint_eq(queue.len, pushed - consumed);
    }
    send_queue_clear(&queue, &budget);
    ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(a_budget_counts_shared_bytes_once)
{
    send_queue_t queues[3] = {{0}};
    shared_bytes_t *bytes = piece(1000, 'x');
    for (int i = 0; i < 3; i++) {
        ck_assert(send_queue_push(&queues[i], bytes, &budget));
    }
    shared_bytes_release(bytes);
    ck_assert_uint_ge(budget.used, 1000);
    ck_assert_uint_lt(budget.used, 1200);
    send_queue_consume(&queues[0], 1000, &budget);
    send_queue_clear(&queues[1], &budget);
    ck_assert_uint_ge(budget.used, 1000);
    send_queue_consume(&queues[2], 999, &budget);
    ck_assert_uint_ge(budget.used, 1000);
    send_queue_consume(&queues[2], 1, &budget);
    ck_assert_uint_eq(budget.used, 0);
}
END_TEST

START_TEST(a_budget_lets_everybody_have_a_little)
{
    budget_t small = {.max = 100000};
    size_t first = 0, second = 0, third = 0;
    ck_assert(budget_update(&small, &first, BUDGET_FREE_BYTES + 90000));
    ck_assert(budget_update(&small, &second, BUDGET_FREE_BYTES));
    ck_assert_uint_eq(small.used, 90000);
    ck_assert(!budget_update(&small, &third, BUDGET_FREE_BYTES + 10001));
    ck_assert(budget_update(&small, &second, BUDGET_FREE_BYTES / 2));
    ck_assert(budget_update(&small, &third, 0));
    ck_assert(budget_update(&small, &first, 0));
    ck_assert_uint_eq(small.used, 0);
    small.max = 0; /* no limit */
    ck_assert(budget_update(&small, &first, SIZE_MAX));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("send_queue");
    tcase_add_test(tcase, shared_bytes_join_head_and_tail);
    tcase_add_test(tcase, small_pieces_are_put_together);
    tcase_add_test(tcase, what_is_large_or_alone_is_not_copied);
    tcase_add_test(tcase, random_use);
    tcase_add_test(tcase, a_budget_counts_shared_bytes_once);
    tcase_add_test(tcase, a_budget_lets_everybody_have_a_little);
    Suite *suite = suite_create("send_queue");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
