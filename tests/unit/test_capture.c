// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring between a daemon and who captures, and the file that comes of it. */
#include "capture/ring.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "capture/pcapng.h"
#include "rand.h"

#define DATA_BYTES	4096u
#define SNAPLEN		200u

static union {
	struct capture_header header;
	u8 bytes[CAPTURE_HEADER_BYTES + DATA_BYTES];
} mem;

static struct capture_writer writer;
static struct capture_reader reader;

static void begin(void)
{
	memset(&mem, 0, sizeof(mem));
	capture_writer_init(&writer, &mem, DATA_BYTES, SNAPLEN);
	assert_true(capture_reader_init(&reader, &mem, sizeof(mem)));
}

/* A packet whose bytes tell its number. False: it was lost. */
static bool add(u64 number, u32 bytes)
{
	struct capture_record *rec = capture_add(&writer, number, bytes);

	if (rec)
		memset(rec->data, (int)(number & 0xff), rec->caught);
	return rec;
}

static const struct capture_record *peek(void)
{
	bool broken;
	const struct capture_record *rec = capture_peek(&reader, &broken);

	assert_false(broken);
	return rec;
}

static bool is_whole(const struct capture_record *rec)
{
	u32 i;

	for (i = 0; i < rec->caught; i++)
		if (rec->data[i] != (rec->time_ns & 0xff))
			return false;
	return rec->caught == (rec->frame_bytes < SNAPLEN ? rec->frame_bytes : SNAPLEN);
}

static void test_sizes(void **state)
{
	u64 number;

	begin();
	assert_null(peek());
	/* Many times round the ring, with every size and so every place of its end. */
	for (number = 0; number < 3000; number++) {
		assert_true(add(number, (u32)(number % 300)));
		assert_null(peek());
		capture_publish(&writer);
		assert_non_null(peek());
		assert_int_equal(peek()->time_ns, number);
		assert_true(is_whole(peek()));
		capture_next(&reader);
		assert_null(peek());
	}
	assert_int_equal(mem.header.seen, 3000);
	assert_int_equal(mem.header.lost, 0);
}

static void test_full(void **state)
{
	u64 number = 0, first;

	begin();
	while (add(number, 100))
		number++;
	capture_publish(&writer);
	assert_int_equal(number, DATA_BYTES / 128);
	assert_int_equal(mem.header.lost, 1);
	/* What is there is not overwritten; what is given back is used again. */
	for (first = 0; first < 5; first++) {
		assert_int_equal(peek()->time_ns, first);
		assert_true(is_whole(peek()));
		capture_next(&reader);
	}
	for (first = 0; add(1000 + first, 100); first++)
		;
	assert_int_equal(first, 5);
}

/* A reader that says of itself what it likes. */
static void test_hostile_reader(void **state)
{
	u64 seed = test_seed();
	u32 i;

	begin();
	for (i = 0; i < 200000; i++) {
		mem.header.tail = i % 3 ? test_rand(&seed) : writer.head - test_rand(&seed) % 5000;
		mem.header.head = test_rand(&seed);
		if (i % 7 == 0)
			memset(mem.bytes + CAPTURE_HEADER_BYTES, (int)i, DATA_BYTES);
		add(i, (u32)(test_rand(&seed) % 70000));
		capture_publish(&writer);
		assert_int_equal(mem.header.head, writer.head);
	}
	assert_true(writer.lost < writer.seen);
}

/* A writer that went mad must not take the reader with it. */
static void test_hostile_writer(void **state)
{
	u64 seed = test_seed();
	const struct capture_record *rec;
	u32 i, k;
	bool broken;

	for (i = 0; i < 20000; i++) {
		begin();
		for (k = 0; k < DATA_BYTES; k++)
			mem.bytes[CAPTURE_HEADER_BYTES + k] =
				test_rand(&seed) % 3 ? 0 : (u8)(test_rand(&seed) % 64);
		mem.header.head = test_rand(&seed) % (DATA_BYTES + 100);
		for (k = 0; k < 1000; k++) {
			rec = capture_peek(&reader, &broken);
			if (!rec)
				break;
			assert_true(rec->data >= reader.data);
			assert_true(rec->data + rec->caught <= reader.data + DATA_BYTES);
			capture_next(&reader);
		}
		assert_true(k < 1000);
	}
}

static void test_not_a_ring(void **state)
{
	begin();
	assert_false(capture_reader_init(&reader, &mem, sizeof(mem) - 1));
	assert_false(capture_reader_init(&reader, &mem, 100));
	mem.header.version++;
	assert_false(capture_reader_init(&reader, &mem, sizeof(mem)));
	mem.header.version--;
	mem.header.data_bytes = DATA_BYTES - 8;
	assert_false(capture_reader_init(&reader, &mem, sizeof(mem) - 8));
}

/* ---- Two threads ---- */

#define MANY	200000u

static void *write_many(void *arg)
{
	u64 number;

	for (number = 1; number <= MANY; number++) {
		add(number, (u32)(number * 7 % 250));
		if (number % 16 == 0 || number == MANY)
			capture_publish(&writer);
	}
	return NULL;
}

static void test_threads(void **state)
{
	u64 got = 0, last = 0;
	pthread_t thread;
	bool ended = false;

	begin();
	assert_int_equal(pthread_create(&thread, NULL, write_many, NULL), 0);
	while (!ended) {
		const struct capture_record *rec;

		/* Looked at before the ring is, which is then empty for good. */
		ended = rp_load(&mem.header.seen) == MANY;
		while ((rec = peek())) {
			assert_true(rec->time_ns > last);
			assert_true(is_whole(rec));
			last = rec->time_ns;
			got++;
			capture_next(&reader);
		}
	}
	pthread_join(thread, NULL);
	while (peek()) {
		capture_next(&reader);
		got++;
	}
	assert_int_equal(got + mem.header.lost, MANY);
	assert_true(got > 0);
}

/* ---- The file ---- */

static u32 word(const u8 *at)
{
	u32 v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* The option of that code behind @at; NULL: there is none. */
static const u8 *find_option(const u8 *at, const u8 *end, u16 code, u32 *bytes)
{
	while (at + 4 <= end) {
		u16 head[2];

		memcpy(head, at, sizeof(head));
		if (!head[0])
			break;
		*bytes = head[1];
		if (head[0] == code)
			return at + 4;
		at += 4 + ((head[1] + 3u) & ~3u);
	}
	return NULL;
}

static void test_file(void **state)
{
	static const u32 types[] = { 0x0a0d0d0a, 1, 6, 5 };
	const struct pcapng_packet p = {
		.time_ns = 0x123456789abcdef0, .bytes = 70000, .caught = 5, .data = "abcde",
		.dir = PCAPNG_OUTBOUND, .queue = 3, .comment = "dropped: full",
	};
	const struct pcapng_totals t = { .start_ns = 1, .end_ns = 1ULL << 40, .received = 7,
					 .lost = 2 };
	const u8 *block[4], *at, *found;
	size_t bytes;
	u32 i, n;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	pcapng_begin(f, "x");
	pcapng_interface(f, "a/3", NULL, 99);
	pcapng_packet(f, &p);
	pcapng_totals(f, &t);
	fclose(f);
	for (at = (u8 *)text, i = 0; i < 4; i++, at += n) {
		block[i] = at;
		n = word(at + 4);
		assert_int_equal(word(at), types[i]);
		assert_int_equal(n % 4, 0);
		assert_true(at + n <= (u8 *)text + bytes);
		assert_int_equal(word(at + n - 4), n);
	}
	assert_ptr_equal(at, text + bytes);
	assert_int_equal(word(block[0] + 8), 0x1a2b3c4d);
	assert_int_equal(word(block[1] + 12), 99);
	found = find_option(block[1] + 16, block[2], 9, &n);
	assert_true(found && n == 1 && *found == 9);
	assert_int_equal(word(block[2] + 12), 0x12345678);
	assert_int_equal(word(block[2] + 16), 0x9abcdef0);
	assert_int_equal(word(block[2] + 20), 5);
	assert_int_equal(word(block[2] + 24), 70000);
	assert_memory_equal(block[2] + 28, "abcde\0\0\0", 8);
	found = find_option(block[2] + 36, block[3], 2, &n);
	assert_true(found && n == 4 && word(found) == PCAPNG_OUTBOUND);
	found = find_option(block[2] + 36, block[3], 6, &n);
	assert_true(found && n == 4 && word(found) == 3);
	found = find_option(block[2] + 36, block[3], 1, &n);
	assert_true(found && n == 13 && !memcmp(found, "dropped: full", 13));
	found = find_option(block[3] + 20, (u8 *)text + bytes, 5, &n);
	assert_true(found && n == 8 && word(found) == 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_hostile_reader),
		cmocka_unit_test(test_hostile_writer),
		cmocka_unit_test(test_not_a_ring),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
