# SPDX-License-Identifier: GPL-2.0-or-later
# What kernel modules take from lib/, without suffix. Read by the makefile and
# by the modules' Kbuild files.
lib_kernel := $(addprefix lib/pacing/,party watch work report strategy notify sleep busy model estimate estimate_tell \
		adaptive adaptive_limits adaptive_loop adaptive_window adaptive_mode adaptive_tell adaptive_learn) \
	$(addprefix lib/pacing/peers/,vhost_busyloop kvm_halt_poll ovs_sleep qemu_poll napi metronome) \
	lib/hist/hist lib/trace/trace
