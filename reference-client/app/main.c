/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"
#include "lines.h"
#include "session.h"

typedef struct program {
    uv_loop_t loop;
    uv_signal_t signals[2];
    bool watching;
    lines_t *lines;
    unsigned long line_number;
    session_t *session;
    int code;
} program_t;

static void stop(program_t *program)
{
    for (int i = 0; i < 2 && program->watching; i++) {
        uv_close((uv_handle_t *)&program->signals[i], NULL);
    }
    program->watching = false;
    lines_free(program->lines);
    program->lines = NULL;
}

static void on_over(void *user, int code)
{
    program_t *program = user;
    program->code = code;
    session_free(program->session);
    program->session = NULL;
    stop(program);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    program_t *program = handle->data;
    if (program->session != NULL) {
        session_interrupt(program->session);
    }
}

static void complain_of_line(const program_t *program, const char *error)
{
    phx_buf_t shown = {0};
    print_shown(&shown, phx_slice_of(error));
    (void)fprintf(stderr, "phxspec-client: line %lu: %.*s\n", program->line_number, (int)shown.len,
                  shown.data != NULL ? shown.data : "");
    phx_buf_free(&shown);
}

static void on_line(void *user, char *line)
{
    program_t *program = user;
    command_t command;
    char error[200];
    bool empty = false;
    if (program->session == NULL) {
        return;
    }
    program->line_number++;
    if (!command_parse_line(&command, line, &empty, error, sizeof error)) {
        complain_of_line(program, error);
        session_wrong(program->session);
    } else if (!empty) {
        session_add(program->session, &command, false);
    }
}

static void on_last_line(void *user, int error)
{
    program_t *program = user;
    if (program->session != NULL) {
        if (error != 0) {
            (void)fprintf(stderr, "phxspec-client: cannot read commands from stdin: %s\n",
                          uv_strerror(error));
            session_wrong(program->session);
        }
        session_end(program->session);
    }
}

/* All are read before anything is done: a slip at the end must not leave half of them done. */
static bool read_words(char **words, size_t count, command_t *commands, size_t *command_count)
{
    char error[200];
    *command_count = 0;
    while (count > 0) {
        size_t used = 0;
        if (!command_parse(&commands[*command_count], words, count, &used, error, sizeof error)) {
            (void)fprintf(stderr, "phxspec-client: %s\n", error);
            return false;
        }
        (*command_count)++;
        words += used;
        count -= used;
    }
    return true;
}

static bool watch_signals(program_t *program)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        program->signals[i].data = program;
        if (uv_signal_init(&program->loop, &program->signals[i]) != 0 ||
            uv_signal_start(&program->signals[i], on_signal, numbers[i]) != 0) {
            return false;
        }
    }
    program->watching = true;
    return true;
}

static void start(program_t *program, const options_t *options, const printer_t *printer, command_t *commands,
                  size_t command_count, bool from_stdin)
{
    program->session = session_new(&program->loop, options, printer, on_over, program, &program->code);
    if (program->session == NULL) {
        return;
    }
    for (size_t i = 0; i < command_count; i++) {
        session_add(program->session, &commands[i], true);
        commands[i] = (command_t){0};
    }
    if (!from_stdin) {
        session_end(program->session);
        return;
    }
    program->lines = lines_new(&program->loop, STDIN_FILENO, on_line, on_last_line, program);
    if (program->lines == NULL) {
        (void)fprintf(stderr, "phxspec-client: cannot read commands from stdin\n");
        session_wrong(program->session);
        session_end(program->session);
    }
}

/*
 * Where a standard descriptor is closed the next that is opened would take its place, a socket's or the
 * loop's own: then nothing is read, and nothing written, there.
 */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            abort();
        }
    }
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    options_t options;
    program_t program = {.code = EXIT_OFFLINE};
    const options_outcome_t outcome = options_parse(&options, argc, argv);
    if (outcome != OPTIONS_RUN) {
        options_free(&options);
        return outcome == OPTIONS_WRONG ? EXIT_WRONG : EXIT_WELL;
    }
    if (options.driver) {
        const char *fault = options.fault;
        options_free(&options);
        return driver_run(fault);
    }
    const size_t word_count = (size_t)(argc - options.first_word);
    const printer_t printer = {options.json, options.raw, uv_hrtime() / 1000000};
    command_t *commands = calloc(word_count + 1, sizeof *commands);
    size_t command_count = 0;
    if (commands == NULL || !read_words(argv + options.first_word, word_count, commands, &command_count)) {
        program.code = EXIT_WRONG;
    } else if (uv_loop_init(&program.loop) == 0) {
        if (watch_signals(&program)) {
            start(&program, &options, &printer, commands, command_count, word_count == 0);
        }
        if (program.session == NULL) {
            stop(&program);
        }
        (void)uv_run(&program.loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&program.loop);
    }
    for (size_t i = 0; i < command_count && commands != NULL; i++) {
        command_free(&commands[i]);
    }
    free(commands);
    options_free(&options);
    return program.code;
}
