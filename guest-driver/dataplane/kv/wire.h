/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memcached's binary protocol on the wire (its doc/protocol-binary.xml). All is big-endian. */
#ifndef DP_KV_WIRE_H
#define DP_KV_WIRE_H

#include "rp.h"

#define KV_REQUEST	0x80u
#define KV_RESPONSE	0x81u

enum kv_opcode {
	KV_OP_GET = 0x00, KV_OP_SET, KV_OP_ADD, KV_OP_REPLACE, KV_OP_DELETE, KV_OP_INCREMENT,
	KV_OP_DECREMENT, KV_OP_QUIT, KV_OP_FLUSH, KV_OP_GETQ, KV_OP_NOOP, KV_OP_VERSION,
	KV_OP_GETK, KV_OP_GETKQ, KV_OP_APPEND, KV_OP_PREPEND, KV_OP_STAT, KV_OP_SETQ,
	KV_OP_ADDQ, KV_OP_REPLACEQ, KV_OP_DELETEQ, KV_OP_INCREMENTQ, KV_OP_DECREMENTQ,
	KV_OP_QUITQ, KV_OP_FLUSHQ, KV_OP_APPENDQ, KV_OP_PREPENDQ, KV_OP_VERBOSITY,
	KV_OP_TOUCH, KV_OP_GAT, KV_OP_GATQ,
	KV_OP_GATK = 0x23, KV_OP_GATKQ,
	KV_OP_N
};

enum kv_wire_status {
	KV_WIRE_OK = 0x0000,
	KV_WIRE_NOT_FOUND = 0x0001,
	KV_WIRE_EXISTS = 0x0002,
	KV_WIRE_TOO_LARGE = 0x0003,
	KV_WIRE_INVALID = 0x0004,
	KV_WIRE_NOT_STORED = 0x0005,
	KV_WIRE_NOT_A_NUMBER = 0x0006,
	KV_WIRE_UNKNOWN = 0x0081,
	KV_WIRE_NO_MEMORY = 0x0082,
};

struct kv_wire_head {
	u8 magic, opcode;
	u16 key_bytes;
	u8 extras_bytes, type;
	u16 status;		/* of a request: nothing */
	u32 body_bytes;		/* extras, key, value */
	u32 opaque;		/* comes back as it is */
	u64 cas;
} __attribute__((packed));

_Static_assert(sizeof(struct kv_wire_head) == 24, "as the protocol has it");

#endif /* DP_KV_WIRE_H */
