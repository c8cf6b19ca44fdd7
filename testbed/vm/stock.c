// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs with stock guests. */
#include "vm/stock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/accel.h"
#include "vm/conn.h"

static struct stock_vms *the_vms;

void stock_end(struct stock_vms *v)
{
	u32 i;

	for (i = 0; i < v->n; i++) {
		if (!v->vm[i].dom)
			continue;
		if (vm_active(v->vm[i].dom))
			vm_destroy(v->vm[i].dom);
		vm_undefine(v->vm[i].dom);
		virDomainFree(v->vm[i].dom);
	}
	v->n = 0;
}

void stock_close(struct stock_vms *v)
{
	if (!v->up)
		return;
	v->up = false;
	the_vms = NULL;
	stock_end(v);
	vm_disconnect(v->conn);
}

static void close_them(void)
{
	if (the_vms)
		stock_close(the_vms);
}

int stock_open(struct stock_vms *v, const char *who)
{
	static bool registered;

	if (v->up)
		return 0;
	memset(v, 0, sizeof(*v));
	v->who = who;
	/* After the run directory's and the children's, hence before them. */
	if (!registered)
		atexit(close_them);
	registered = true;
	the_vms = v;
	vm_clean_processes();
	if (accel_choose(NULL, &v->kvm))
		return -1;
	v->up = true;
	v->conn = vm_connect(NULL, VM_STATE_RUN);
	if (!v->conn || vm_conn_share_dir(run_dir()))
		return -1;
	if (vm_conn_is_remote())
		vm_clean_domains(v->conn);
	return 0;
}

int stock_start(struct stock_vms *v, struct vm_config *c)
{
	struct stock_vm *vm = &v->vm[v->n];
	char name[VM_NAME_MAX];

	vm->dom = NULL;
	snprintf(name, sizeof(name), "%s-%d-%u", v->who, getpid(), v->n + 1);
	snprintf(vm->dir, sizeof(vm->dir), "%s/vm%u", run_dir(), v->n + 1);
	snprintf(vm->log, sizeof(vm->log), "%s/vm%u/serial.log", run_dir(), v->n + 1);
	v->n++;
	/* It is there where another one had that number before. */
	if (mkdir(vm->dir, 0700) && access(vm->dir, F_OK))
		return fail("%s: cannot make %s: %m", v->who, vm->dir);
	if (vm_conn_share_dir(vm->dir))
		return -1;
	unlink(vm->log);
	c->name = name;
	c->dir = vm->dir;
	c->kvm = v->kvm;
	c->owned = true;
	vm->dom = c->template_path ? vm_define(v->conn, c) : NULL;
	c->name = c->dir = NULL;
	return vm->dom ? vm_start(vm->dom) : -1;
}

const char *stock_said(const struct stock_vms *v, u32 i, const char *words)
{
	FILE *f = fopen(v->vm[i].log, "re");
	size_t n = strlen(v->who);
	static char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, v->who, n) && !strncmp(line + n, ": ", 2) &&
			strstr(line + n, words) && strchr(line, '\n');
	if (f)
		fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	return found ? line + n + 2 : NULL;
}

const char *stock_await(const struct stock_vms *v, u32 i, const char *words, u64 end)
{
	const char *line, *failed, *log = v->vm[i].log;

	while (!(line = stock_said(v, i, words))) {
		failed = stock_said(v, i, " failed");
		if (failed)
			fail("%s: VM %u cannot do its work: %s", v->who, i + 1, failed);
		else if (!vm_active(v->vm[i].dom))
			fail("%s: VM %u went off; its console's last line: %s", v->who, i + 1,
			     log_tail(log));
		else if (now_ns() > end)
			fail("%s: VM %u did not say \"%s\" in time; its console's last line: %s",
			     v->who, i + 1, words, log_tail(log));
		else if (nap_ms(50))
			continue;
		return NULL;
	}
	return line;
}
