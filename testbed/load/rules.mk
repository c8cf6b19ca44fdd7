# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests of the load generator, without clock and sockets.
UNIT_SRCS_test_load_arrivals := testbed/load/arrivals.c testbed/shape.c testbed/sim/dist.c
UNIT_LIBS_test_load_arrivals := -lm
UNIT_CFLAGS_test_load_arrivals := -iquote testbed
LOAD_PROTO_SRCS := $(addprefix testbed/load/,proto.c proto_echo.c proto_http.c proto_memcached.c)
UNIT_SRCS_test_load_proto := $(LOAD_PROTO_SRCS)
UNIT_CFLAGS_test_load_proto := -iquote testbed
UNIT_SRCS_test_load_gen := $(LOAD_PROTO_SRCS) testbed/shape.c testbed/sim/dist.c \
	$(addprefix testbed/load/,arrivals.c conn.c gen.c stats.c)
UNIT_LIBS_test_load_gen := -lm
UNIT_CFLAGS_test_load_gen := -iquote testbed
UNIT_SRCS_test_load_slo := testbed/load/slo.c testbed/util.c
UNIT_LIBS_test_load_slo := -lm
UNIT_CFLAGS_test_load_slo := -iquote testbed
