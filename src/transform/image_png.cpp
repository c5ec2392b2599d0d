// PNG, by libpng's simplified API (it never jumps out of our frames).
// http://www.libpng.org/pub/png/libpng-manual.txt

#include <png.h>

#include "transform/image.h"

namespace lanthorn {

Result<Image> decode_png(std::span<const std::byte> bytes) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const auto failed = [&png](const char* what) {
    Error error{ErrorCode::kCorrupt, std::string(what) + ": " + png.message, "PNG picture", ""};
    png_image_free(&png);
    return error;
  };
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size())) {
    return failed("cannot be read");
  }
  if (uint64_t{png.width} * png.height > kMaxImagePixels) {
    png_image_free(&png);
    return Error{ErrorCode::kLimit, "has more than " + std::to_string(kMaxImagePixels) + " pixels",
                 "PNG picture", "Make it smaller first."};
  }
  const bool color = png.format & PNG_FORMAT_FLAG_COLOR;
  const bool alpha = png.format & PNG_FORMAT_FLAG_ALPHA;
  png.format = color ? (alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB) : (alpha ? PNG_FORMAT_GA : PNG_FORMAT_GRAY);
  Image image;
  image.width = png.width;
  image.height = png.height;
  image.channels = (color ? 3 : 1) + (alpha ? 1 : 0);
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  if (!png_image_finish_read(&png, nullptr, image.pixels.data(), 0, nullptr)) {
    return failed("is broken");
  }
  return image;
}

}  // namespace lanthorn
