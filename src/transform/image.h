#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/result.h"

namespace lanthorn {

/// A decoded picture: 8-bit samples, rows from the top, channels interleaved.
struct Image {
  int64_t width = 0, height = 0;
  int channels = 0;              // 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha
  std::vector<uint8_t> pixels;   // height * width * channels
};

/// Pixels that a picture may have at most; more is kLimit before any is decoded.
constexpr uint64_t kMaxImagePixels = 100'000'000;

bool looks_like_png(std::span<const std::byte> bytes);
bool looks_like_jpeg(std::span<const std::byte> bytes);
/// Decodes PNG (palettes expanded, 16 bits reduced to 8) or JPEG (gray or RGB). kUnsupported for other
/// files, kCorrupt, kLimit.
Result<Image> decode_image(std::span<const std::byte> bytes);

}  // namespace lanthorn
