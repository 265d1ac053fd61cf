/* SPDX-License-Identifier: MIT */
#include "base/jvalue_impl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_tagged_number(const json_t *value)
{
    return json_is_string(value) && jvalue__is_number(value);
}

/* A decimal as 0.d1d2… × 10^exponent, without zeros at both ends. */
typedef struct decimal {
    bool negative;
    text_t digits;
    long long exponent;
} decimal_t;

static decimal_t decimal_of(const char *number)
{
    decimal_t decimal = {.negative = *number == '-'};
    bool fraction = false;
    number += decimal.negative;
    for (; is_digit(*number) || *number == '.'; number++) {
        if (*number == '.') {
            fraction = true;
            continue;
        }
        if (decimal.digits.len > 0 || *number != '0') {
            text_putc(&decimal.digits, *number);
            decimal.exponent += !fraction;
        } else {
            decimal.exponent -= fraction;
        }
    }
    if (*number == 'e' || *number == 'E') {
        long long exponent = strtoll(number + 1, NULL, 10);
        const long long most = LLONG_MAX / 4; /* room for the digits counted above */
        decimal.exponent += exponent > most ? most : exponent < -most ? -most : exponent;
    }
    while (decimal.digits.len > 0 && decimal.digits.at[decimal.digits.len - 1] == '0') {
        decimal.digits.len--;
    }
    return decimal;
}

static bool decimals_equal(const char *a, const char *b)
{
    decimal_t x = decimal_of(a), y = decimal_of(b);
    bool equal = span_equal(text_span(&x.digits), text_span(&y.digits)) &&
                 (x.digits.len == 0 || (x.negative == y.negative && x.exponent == y.exponent));
    text_free(&x.digits);
    text_free(&y.digits);
    return equal;
}

static bool integer_is_real(json_int_t integer, double real)
{
    /* 2^63 as a double is the first one that does not fit back */
    return real >= -0x1p63 && real < 0x1p63 && (json_int_t)real == integer &&
           (double)(json_int_t)real == real;
}

static bool is_whole(const char *number)
{
    decimal_t decimal = decimal_of(number);
    bool whole = decimal.exponent >= (long long)decimal.digits.len;
    text_free(&decimal.digits);
    return whole;
}

/* A fraction is as good as the double it becomes. A whole number is not: a peer that holds large integers as
 * doubles loses digits, so it is compared with the shortest decimal that stands for the double, as its sender
 * will have written it. */
static bool decimal_is_real(const char *decimal, double real)
{
    if (!is_whole(decimal)) {
        return strtod(decimal, NULL) == real;
    }
    char shortest[40];
    int digits = 0;
    do {
        snprintf(shortest, sizeof shortest, "%.*e", digits, real);
    } while (strtod(shortest, NULL) != real && digits++ < 17);
    return decimals_equal(decimal, shortest);
}

static bool numbers_equal(const json_t *a, const json_t *b)
{
    if (is_tagged_number(b)) {
        const json_t *swap = a;
        a = b;
        b = swap;
    }
    if (is_tagged_number(a)) {
        if (is_tagged_number(b)) {
            return decimals_equal(jvalue__tag(a), jvalue__tag(b));
        }
        return json_is_real(b) && decimal_is_real(jvalue__tag(a), json_real_value(b));
    }
    if (json_is_integer(a)) {
        return json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                  : integer_is_real(json_integer_value(a), json_real_value(b));
    }
    return json_is_integer(b) ? integer_is_real(json_integer_value(b), json_real_value(a))
                              : json_real_value(a) == json_real_value(b);
}

static bool objects_equal(const json_t *a, const json_t *b)
{
    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    json_t *object = (json_t *)a, *value; /* jansson's iteration takes no const, and changes nothing */
    const char *key;
    json_object_foreach(object, key, value)
    {
        if (!jvalue_equal(value, json_object_get(b, key))) {
            return false;
        }
    }
    return true;
}

bool jvalue_equal(const json_t *a, const json_t *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (jvalue__is_number(a) || jvalue__is_number(b)) {
        return jvalue__is_number(a) && jvalue__is_number(b) && numbers_equal(a, b);
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return objects_equal(a, b);
    case JSON_ARRAY:
        if (json_array_size(a) != json_array_size(b)) {
            return false;
        }
        for (size_t i = 0; i < json_array_size(a); i++) {
            if (!jvalue_equal(json_array_get(a, i), json_array_get(b, i))) {
                return false;
            }
        }
        return true;
    case JSON_STRING:
        return span_equal((span_t){json_string_value(a), json_string_length(a)},
                          (span_t){json_string_value(b), json_string_length(b)});
    default:
        return true; /* null, true, false: the type is the value */
    }
}
