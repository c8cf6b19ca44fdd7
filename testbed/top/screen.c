// SPDX-License-Identifier: GPL-2.0-or-later
/* The table on a terminal, and its keys. */
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "top/top.h"

struct screen {
	struct top *top;
	u64 interval_ns;
	u64 next_ns;		/* of the next sample */
	u32 sort;
	bool reverse, paused, quit;
	u32 scroll;		/* rows above the screen */
};

static int width_of(u32 column)
{
	return abs(top_columns[column].width);
}

static bool shown(u32 column)
{
	return COLS >= top_columns[column].from_width;
}

static void put_cell(int y, int x, u32 column, const char *text)
{
	int width = top_columns[column].width;

	if (x < COLS)
		mvprintw(y, x, "%*.*s", width, COLS - x, text);
}

static void draw_heading(const struct screen *s)
{
	int x = 0;
	u32 i;

	for (i = 0; i < top_columns_count; i++) {
		if (!shown(i))
			continue;
		attrset(i == s->sort ? A_BOLD | A_UNDERLINE : A_REVERSE);
		put_cell(1, x, i, top_columns[i].head);
		x += width_of(i) + 1;
	}
	attrset(A_NORMAL);
}

static void draw_row(int y, const struct top_row *r)
{
	char text[128];
	int x = 0;
	u32 i;

	attrset(r->broken[0] || r->unmet[0] || top_is_late(r) ? COLOR_PAIR(1) | A_BOLD : A_NORMAL);
	for (i = 0; i < top_columns_count; i++) {
		if (!shown(i))
			continue;
		top_cell(r, i, text, sizeof(text));
		put_cell(y, x, i, text);
		x += width_of(i) + 1;
		if (!i && r->broken[0]) {
			mvprintw(y, x, "%.*s", COLS - x > 0 ? COLS - x : 0, r->broken);
			break;
		}
	}
	attrset(A_NORMAL);
}

/* The reason for the first row that is red, else what went wrong, else the keys. */
static const char *bottom_line(const struct screen *s)
{
	const char *error = top_error(s->top);
	u32 i;

	if (error)
		return error;
	for (i = 0; i < s->top->n; i++)
		if (s->top->rows[i].unmet[0])
			return s->top->rows[i].unmet;
	if (!s->top->n)
		return "no queue in use; q quits";
	return "q quit  p pause  < > sort by  r reverse  up, down scroll | rates per second";
}

static void draw(const struct screen *s)
{
	int rows = LINES - 3, i;

	erase();
	mvprintw(0, 0, "%.*s", COLS, "ringpace top");
	if (COLS > 60)
		printw("  %u queues, every %.1f s, by %s%s%s", s->top->n,
		       (double)s->interval_ns / 1e9, top_columns[s->sort].key,
		       s->reverse ? " (reversed)" : "", s->paused ? "  PAUSED" : "");
	draw_heading(s);
	for (i = 0; i < rows && s->scroll + (u32)i < s->top->n; i++)
		draw_row(i + 2, &s->top->rows[s->scroll + (u32)i]);
	mvprintw(LINES - 1, 0, "%.*s", COLS - 1, bottom_line(s));
	refresh();
}

/* The next column that is shown, in direction @step. */
static void move_sort(struct screen *s, u32 step)
{
	do {
		s->sort = (s->sort + step) % top_columns_count;
	} while (!shown(s->sort));
}

static void scroll_by(struct screen *s, int rows)
{
	u32 most = s->top->n > 1 ? s->top->n - 1 : 0;

	if (rows < 0)
		s->scroll -= s->scroll < (u32)-rows ? s->scroll : (u32)-rows;
	else
		s->scroll = s->scroll + (u32)rows < most ? s->scroll + (u32)rows : most;
}

static void obey(struct screen *s, int key)
{
	switch (key) {
	case 'q':
		s->quit = true;
		break;
	case 'p':
	case ' ':
		s->paused = !s->paused;
		break;
	case 'r':
		s->reverse = !s->reverse;
		break;
	case '<':
		move_sort(s, top_columns_count - 1);
		break;
	case '>':
		move_sort(s, 1);
		break;
	case KEY_UP:
		scroll_by(s, -1);
		break;
	case KEY_DOWN:
		scroll_by(s, 1);
		break;
	case KEY_PPAGE:
		scroll_by(s, 3 - LINES);
		break;
	case KEY_NPAGE:
		scroll_by(s, LINES - 3);
		break;
	default:	/* also KEY_RESIZE: it is drawn anew anyway */
		break;
	}
	top_sort(s->top, s->sort, s->reverse);
}

static void sample(struct screen *s)
{
	top_sample(s->top);
	top_sort(s->top, s->sort, s->reverse);
	if (s->scroll >= s->top->n)
		s->scroll = 0;
	s->next_ns = now_ns() + s->interval_ns;
}

/* At most 100 ms: a signal that comes just before the wait is seen soon. */
static void wait_key(struct screen *s)
{
	u64 now = now_ns();
	u64 left_ms = s->next_ns > now ? (s->next_ns - now) / 1000000 + 1 : 0;
	int key;

	timeout(s->paused || left_ms > 100 ? 100 : (int)left_ms);
	key = getch();
	if (key == ERR)
		return;
	obey(s, key);
	draw(s);
}

static void set_up(void)
{
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
	}
}

int top_screen(struct top *t, u64 interval_ns, u32 sort)
{
	struct screen s = { .top = t, .interval_ns = interval_ns, .sort = sort };
	SCREEN *term = newterm(NULL, stdout, stdin);

	if (!term) {
		fail("the terminal's type \"%s\" is not known: set TERM, or use --once or --json",
		     getenv("TERM") ?: "");
		return 1;
	}
	set_up();
	while (!s.quit && !stopped()) {
		if (!s.paused && now_ns() >= s.next_ns) {
			sample(&s);
			draw(&s);
		}
		wait_key(&s);
	}
	endwin();
	delscreen(term);
	return s.quit ? 0 : EXIT_STOPPED;
}
