# SPDX-License-Identifier: GPL-2.0-or-later
# rp-l2fwd, the forwarder in a chain's VM: of DPDK only what it needs, and that static. Drivers
# register themselves, so they are linked whole.
DPDK_CFLAGS = $(subst -I,-isystem ,$(shell pkg-config --cflags libdpdk $(HUSH)))
DPDK_DRIVERS := bus_pci bus_vdev mempool_ring net_virtio net_ring
DPDK_CORE := ethdev net mbuf mempool ring rcu meter pci kvargs telemetry eal
DPDK_LIBS := -Wl,--whole-archive $(DPDK_DRIVERS:%=-l:librte_%.a) -Wl,--no-whole-archive \
	-Wl,--start-group $(DPDK_CORE:%=-l:librte_%.a) -Wl,--end-group -lnuma -lbsd -lm -ldl

ifeq ($(SAN),)
PROGRAMS += $(BUILD)/rp-l2fwd
$(eval $(call program,rp-l2fwd,$(addprefix guest-driver/l2fwd/,main.c forward.c ports.c),\
	$(DPDK_LIBS),$$(DPDK_CFLAGS)))
endif

UNIT_SRCS_test_l2fwd := guest-driver/l2fwd/forward.c guest-driver/l2fwd/ports.c
UNIT_LIBS_test_l2fwd := $(DPDK_LIBS)
UNIT_CFLAGS_test_l2fwd = $(DPDK_CFLAGS) -iquote guest-driver/l2fwd
