// SPDX-License-Identifier: GPL-2.0-or-later
/* What all that is asked of the kernel has in common. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "nic.h"

struct mnl_socket *nl_open(int bus)
{
	struct mnl_socket *s = mnl_socket_open(bus);
	int error;

	if (!s || !mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID))
		return s;
	error = errno;
	mnl_socket_close(s);
	errno = error;
	return NULL;
}

int nl_talk(struct mnl_socket *s, struct nlmsghdr *nlh,
	    int (*each)(const struct nlmsghdr *nlh, void *ctx), void *ctx)
{
	static __thread u32 seq;
	char buf[16384];
	ssize_t n;
	int rc = MNL_CB_OK;

	nlh->nlmsg_seq = ++seq;
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (rc > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		rc = mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(s), each, ctx);
	}
	return rc < 0 ? -errno : 0;
}

static int on_family(const struct nlmsghdr *nlh, void *id)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_validate(a, MNL_TYPE_U16) >= 0)
			*(u16 *)id = mnl_attr_get_u16(a);
	return MNL_CB_OK;
}

u16 nl_family(struct mnl_socket *s, const char *name)
{
	char buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = nl_generic(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	u16 id = 0;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	return nl_talk(s, nlh, on_family, &id) ? 0 : id;
}
