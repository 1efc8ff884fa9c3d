#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a test program so that it speaks TAP, each of its tests for no longer than
# ADZE_TEST_SECONDS, and through EMULATOR where a cross build's tests need one.
seconds=${ADZE_TEST_SECONDS:-240}
exec timeout $((seconds * 2)) ${EMULATOR-} "$@" --tap --timeout "$seconds"
