#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codec/inflate.h"

namespace lanthorn {

/// Up to `limit` bytes of what bzip2's bytes become, streams that follow each other as one. What is
/// damaged gives what comes before. Checksums are not checked: a reader sees the bytes before them.
Inflated bunzip2_prefix(std::span<const std::byte> source, uint64_t limit);

}  // namespace lanthorn
