// SPDX-License-Identifier: GPL-2.0-or-later
/* Two stock guests; images/chain/init is what they do. */
#include "packets/pair.h"

#include <string.h>

#define MEMORY_MIB	160u
#define QUEUE_LEN	256u
/* For a stream, on a host that emulates them beside other work. */
#define STREAM_NS	(600 * NSEC_PER_SEC)

enum { SERVER, CLIENT };

static int start(struct stock_vms *v, const struct forwarder *f, const struct pair_task *t,
		 u32 who)
{
	struct vm_config c;
	char cmdline[128];

	snprintf(cmdline, sizeof(cmdline), "rp.nf=%s rp.pings=%u rp.files=%u%s%s",
		 who == SERVER ? "server" : "client", t->pings, t->files,
		 t->load->virtio_net ? " rp.virtio_net=" : "", t->load->virtio_net ?: "");
	vm_config_default(&c);
	c.template_path = vm_built("packets/domain.xml.in", "all");
	c.guest = "chain";
	c.cmdline = cmdline;
	c.net_socket[0] = f->socket[who];
	c.memory_mib = MEMORY_MIB;
	c.queue_len = QUEUE_LEN;
	return stock_start(v, &c);
}

/* "stream of N bytes from S to S s" */
static int take_stream(const char *line, struct pair_sample *s)
{
	double bytes, from, to;

	if (sscanf(line, "stream of %lf bytes from %lf to %lf s", &bytes, &from, &to) != 3 ||
	    to <= from)
		return fail("guests: the client said what is no result: %s", line);
	s->stream_bits_per_s = 8 * bytes / (to - from);
	return 0;
}

static int measure(struct stock_vms *v, const struct forwarder *f, struct pair_sample *s)
{
	u64 end = now_ns() + STOCK_BOOT_NS, began;
	double cpu_ns, ms;
	const char *line;

	if (!stock_await(v, SERVER, "server is up", end) ||
	    !stock_await(v, CLIENT, "client is up", end))
		return -1;
	end = now_ns() + STREAM_NS;
	line = stock_await(v, CLIENT, "rtt ", end);
	if (!line)
		return -1;
	if (sscanf(line, "rtt %lf ms", &ms) != 1)
		return fail("guests: the client said what is no result: %s", line);
	s->rtt_ns = ms * 1e6;
	if (!stock_await(v, CLIENT, "stream begins", end))
		return -1;
	began = now_ns();
	cpu_ns = forwarder_cpu_ns(f);
	line = stock_await(v, CLIENT, "stream of ", end);
	if (!line)
		return -1;
	s->cpu = (forwarder_cpu_ns(f) - cpu_ns) / (double)(now_ns() - began);
	return take_stream(line, s);
}

int pair_run(struct stock_vms *v, const struct forwarder *f, const struct pair_task *t,
	     struct pair_sample *s)
{
	int rc;

	*s = (struct pair_sample){ UNKNOWN, UNKNOWN, UNKNOWN };
	rc = start(v, f, t, SERVER) || start(v, f, t, CLIENT) || measure(v, f, s) ? -1 : 0;
	stock_end(v);
	return rc;
}

bool pair_available(const char **why)
{
	static const struct vm_need needs[] = {
		{ "ringpaced", "ringpaced is not built: make all" },
		{ "qemu-system-x86_64", "QEMU is not built: make qemu" },
		{ "guest/vmlinuz", "the guest's image is not built: make image" },
		{ "chain/initrd", "the VMs' image is not built: make image" },
		{ NULL, NULL }
	};

	return vm_built_all(needs, why);
}
