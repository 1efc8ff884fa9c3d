#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a test program so that it speaks TAP, for no longer than ADZE_TEST_SECONDS, and
# through EMULATOR where a cross build's tests need one.
exec timeout "${ADZE_TEST_SECONDS:-300}" ${EMULATOR-} "$@" --tap
