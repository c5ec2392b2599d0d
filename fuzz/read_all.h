#pragma once

#include "formats/format.h"

namespace lanthorn {

/// Reads bytes as a format and looks at every element of every tensor, within small limits. Nothing
/// where they are none of that format.
inline std::optional<FileContents> read_all(const Format& format, std::span<const std::byte> bytes) {
  const auto file = MappedFile::of(bytes);
  if (!format.matches(file->bytes())) return std::nullopt;
  ReadLimits limits;
  limits.max_memory_bytes = 32 << 20;
  auto contents = format.read(file, limits);
  if (!contents) return std::nullopt;
  uint64_t seen = 0;
  for (const NamedTensor& named : contents->tensors.entries()) {
    if (named.tensor.byte_size() > (1 << 20)) continue;  // spread out by strides of zero
    const auto flat = named.tensor.contiguous();
    if (!flat || flat->dtype() == DType::kString) continue;
    for (const std::byte b : flat->bytes()) seen += static_cast<uint64_t>(b);
    if (seen == UINT64_MAX) return std::nullopt;
  }
  return *std::move(contents);
}

}  // namespace lanthorn
