// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One fault for each check of the debugging kernel: a check that misses its
 * own here would miss those in the drivers. Loading does what the parameter
 * names and fails, so that the next can be loaded.
 */
#include <linux/debugobjects.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#define LEAKS	300

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "lock, atomic, shift, object, freed, end or leak");

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);

static void lock_order(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);
	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static void sleep_under_spinlock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
}

static void shift_too_far(void)
{
	volatile int bits = 40, one = 1;

	one = one << bits;
}

static void timed_out(struct timer_list *timer)
{
}

static void free_running_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timed_out, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	/* The check takes it off its list, and then it is freed. */
	kfree(timer);
}

static void read_freed(void)
{
	volatile char *p = kmalloc(100, GFP_KERNEL);

	kfree((void *)p);
	p[7];
}

static void write_past_end(void)
{
	volatile char *p = kmalloc(100, GFP_KERNEL);

	p[100] = 1;
	kfree((void *)p);
}

static void leak(void)
{
	void *volatile lost;
	int i;

	for (i = 0; i < LEAKS; i++)
		lost = kmalloc(100, GFP_KERNEL);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "lock", lock_order },
	{ "atomic", sleep_under_spinlock },
	{ "shift", shift_too_far },
	{ "object", free_running_timer },
	{ "freed", read_freed },
	{ "end", write_past_end },
	{ "leak", leak },
};

static int __init rp_faults_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, fault))
			continue;
		faults[i].commit();
		return -EAGAIN;
	}
	return -EINVAL;
}
module_init(rp_faults_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Ringpace: faults for the debugging kernel to find");
