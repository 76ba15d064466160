#!/bin/sh
# Links as the C compiler does, but with LLVM's linker. install.sh names it to cargo where that linker
# is found.
exec cc -fuse-ld=lld "$@"
