#!/bin/sh
# Makes the camera of the load tester: two seconds of a generated test pattern in three sizes.
# Needs Debian 12's ffmpeg (5.1). Each file has one key frame, the first, so that it can be looped.
set -eu
cd "$(dirname "$0")"
layer() { # name, size, bit/s
  ffmpeg -hide_banner -loglevel error -y \
    -f lavfi -i "testsrc2=size=$2:rate=15:duration=2" \
    -c:v libvpx -b:v "$3" -maxrate "$3" -bufsize "$3" -pix_fmt yuv420p \
    -deadline good -cpu-used 0 -lag-in-frames 0 -auto-alt-ref 0 -error-resilient 1 \
    -g 1000 -keyint_min 1000 -threads 1 -fflags +bitexact -flags:v +bitexact \
    "$1.ivf"
}
layer camera-low 160x90 60k
layer camera-medium 320x180 150k
layer camera-high 640x360 300k
