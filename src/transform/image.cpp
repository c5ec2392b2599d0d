#include "transform/image.h"

#include <cstring>

namespace lanthorn {

// image_png.cpp, image_jpeg.cpp
Result<Image> decode_png(std::span<const std::byte> bytes);
Result<Image> decode_jpeg(std::span<const std::byte> bytes);

bool looks_like_png(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data(), "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool looks_like_jpeg(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && std::memcmp(bytes.data(), "\xff\xd8\xff", 3) == 0;
}

Result<Image> decode_image(std::span<const std::byte> bytes) {
  if (looks_like_png(bytes)) return decode_png(bytes);
  if (looks_like_jpeg(bytes)) return decode_jpeg(bytes);
  return Error{ErrorCode::kUnsupported, "is neither a PNG nor a JPEG picture", "", ""};
}

}  // namespace lanthorn
