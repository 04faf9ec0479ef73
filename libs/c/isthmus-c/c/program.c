/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of the two kinds of program it is. One with `main` runs that. One without handles events, by the names of Microkit.
 * Those count for nothing in a program with `main`, in which `init` may well be something else.
 */

#include <isthmus/program.h>
#include <microkit.h>
#include <stdlib.h>

/* Null where the program does not define them. */
#pragma weak main
#pragma weak init
#pragma weak notified
#pragma weak protected
#pragma weak fault
#pragma weak isthmus_arguments

int main(int argc, char *argv[]);

static void run_main(void)
{
    static char *arguments[ISTHMUS_MAX_ARGUMENTS + 2];
    static char name[sizeof microkit_name + 1];
    int count = 0;

    for (size_t i = 0; i < sizeof microkit_name; i++) {
        name[i] = microkit_name[i];
    }
    arguments[count++] = name;
    while (isthmus_arguments != NULL && isthmus_arguments[count - 1] != NULL) {
        if (count > ISTHMUS_MAX_ARGUMENTS) {
            isthmus_panic("isthmus_arguments: too many");
        }
        arguments[count] = isthmus_arguments[count - 1];
        count++;
    }
    exit(main(count, arguments));
}

void isthmus_init(void)
{
    if (main != NULL) {
        run_main();
    }
    if (init == NULL) {
        isthmus_panic("the program has neither main nor init");
    }
    init();
}

void isthmus_notified(microkit_channel channel)
{
    if (main == NULL && notified != NULL) {
        notified(channel);
    }
}

microkit_msginfo isthmus_protected(microkit_channel channel, microkit_msginfo msginfo)
{
    if (main != NULL || protected == NULL) {
        isthmus_panic("a protected call, and the program has no `protected`");
    }
    return protected(channel, msginfo);
}

seL4_Bool isthmus_fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *answer)
{
    if (main != NULL || fault == NULL) {
        isthmus_panic("a child's fault, and the program has no `fault`");
    }
    return fault(child, msginfo, answer);
}

void microkit_internal_crash(seL4_Word error)
{
    (void) error;
    isthmus_panic("microkit_internal_crash");
}

void microkit_dbg_put32(uint32_t number)
{
    char digits[11];
    char *first = &digits[10];

    *first = '\0';
    do {
        *--first = (char) ('0' + number % 10);
        number /= 10;
    } while (number != 0);
    microkit_dbg_puts(first);
}

void microkit_dbg_put8(uint8_t number)
{
    microkit_dbg_put32(number);
}
