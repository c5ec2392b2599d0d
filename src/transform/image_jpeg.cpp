// JPEG, by libjpeg-turbo. Its errors jump; nothing with a destructor lives in the frames they skip.
// https://libjpeg-turbo.org/Documentation/Documentation

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

#include "transform/image.h"

namespace lanthorn {
namespace {

struct Jumper {
  jpeg_error_mgr base;
  std::jmp_buf place;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void jump_out(j_common_ptr info) {
  auto* jumper = reinterpret_cast<Jumper*>(info->err);
  info->err->format_message(info, jumper->message);
  std::longjmp(jumper->place, 1);
}

void stay_quiet(j_common_ptr, int) {}

enum class Outcome { kDone, kBroken, kTooLarge };

Outcome decode(std::span<const std::byte> bytes, jpeg_decompress_struct& info, Jumper& jumper, Image& image) {
  info.err = jpeg_std_error(&jumper.base);
  jumper.base.error_exit = jump_out;
  jumper.base.emit_message = stay_quiet;
  if (setjmp(jumper.place)) return Outcome::kBroken;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  if (uint64_t{info.image_width} * info.image_height > kMaxImagePixels) return Outcome::kTooLarge;
  info.out_color_space = info.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
  image.width = info.output_width;
  image.height = info.output_height;
  image.channels = info.output_components;
  const size_t stride = size_t{info.output_width} * static_cast<size_t>(info.output_components);
  image.pixels.resize(stride * info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = image.pixels.data() + stride * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return Outcome::kDone;
}

}  // namespace

Result<Image> decode_jpeg(std::span<const std::byte> bytes) {
  jpeg_decompress_struct info{};
  Jumper jumper{};
  Image image;
  const Outcome outcome = decode(bytes, info, jumper, image);
  jpeg_destroy_decompress(&info);
  if (outcome == Outcome::kTooLarge) {
    return Error{ErrorCode::kLimit, "has more than " + std::to_string(kMaxImagePixels) + " pixels",
                 "JPEG picture", "Make it smaller first."};
  }
  if (outcome == Outcome::kBroken) {
    return Error{ErrorCode::kCorrupt, std::string("cannot be decoded: ") + jumper.message, "JPEG picture", ""};
  }
  return image;
}

}  // namespace lanthorn
