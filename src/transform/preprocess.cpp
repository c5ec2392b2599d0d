#include "transform/preprocess.h"

#include <algorithm>
#include <cmath>

#include "transform/resize.h"

namespace lanthorn {
namespace {

Image to_mode(const Image& image, Preprocess::Mode mode) {
  const int wanted = mode == Preprocess::Mode::kRgb ? 3 : 1;
  if (image.channels == wanted) return image;
  Image out{image.width, image.height, wanted, {}};
  const size_t count = static_cast<size_t>(image.width * image.height);
  out.pixels.resize(count * static_cast<size_t>(wanted));
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* from = image.pixels.data() + i * static_cast<size_t>(image.channels);
    uint8_t* to = out.pixels.data() + i * static_cast<size_t>(wanted);
    const bool gray = image.channels <= 2;
    if (wanted == 3) {
      for (int c = 0; c < 3; ++c) to[c] = gray ? from[0] : from[c];
    } else {
      // ITU-R 601-2 luma in 16-bit fixed point, as Pillow's convert("L").
      to[0] = gray ? from[0]
                   : static_cast<uint8_t>((from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000) >> 16);
    }
  }
  return out;
}

Result<Image> crop_middle(const Image& image, int64_t height, int64_t width) {
  if (image.height < height || image.width < width) {
    return Error{ErrorCode::kInvalidInput,
                 "is " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                     " after resizing, smaller than the crop of " + std::to_string(width) + "x" +
                     std::to_string(height),
                 "picture", ""};
  }
  Image out{width, height, image.channels, {}};
  const size_t channels = static_cast<size_t>(image.channels);
  out.pixels.resize(static_cast<size_t>(height * width) * channels);
  const int64_t top = std::lround(static_cast<double>(image.height - height) / 2);
  const int64_t left = std::lround(static_cast<double>(image.width - width) / 2);
  for (int64_t y = 0; y < height; ++y) {
    const auto from = image.pixels.begin() + ((top + y) * image.width + left) * image.channels;
    std::copy_n(from, static_cast<size_t>(width) * channels,
                out.pixels.begin() + y * width * image.channels);
  }
  return out;
}

}  // namespace

Result<Tensor> preprocess(const Image& original, const Preprocess& how) {
  Image image = to_mode(original, how.mode);
  if (how.resize.size() == 1) {
    const int64_t shorter = std::min(image.width, image.height);
    const int64_t side = how.resize[0];
    const int64_t longer = std::max(image.width, image.height) * side / shorter;
    const bool upright = image.height >= image.width;
    LAN_TRY(image, resize(image, upright ? longer : side, upright ? side : longer, how.bicubic));
  } else if (how.resize.size() == 2) {
    LAN_TRY(image, resize(image, how.resize[0], how.resize[1], how.bicubic));
  }
  if (!how.crop.empty()) {
    LAN_TRY(image, crop_middle(image, how.crop[0], how.crop[1]));
  }
  const auto channels = static_cast<int64_t>(image.channels);
  Shape shape = how.channels_last ? Shape{1, image.height, image.width, channels}
                                  : Shape{1, channels, image.height, image.width};
  LAN_TRY(Tensor tensor, Tensor::allocate(DType::kF32, std::move(shape)));
  const auto out = tensor.mutable_as<float>();
  const size_t plane = static_cast<size_t>(image.width * image.height);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const auto scale = static_cast<float>(how.scale);
    const float mean = how.mean.empty() ? 0.0f : static_cast<float>(how.mean[std::min(c, how.mean.size() - 1)]);
    const float std = how.std.empty() ? 1.0f : static_cast<float>(how.std[std::min(c, how.std.size() - 1)]);
    for (size_t i = 0; i < plane; ++i) {
      const float sample = static_cast<float>(image.pixels[i * static_cast<size_t>(channels) + c]) * scale;
      out[how.channels_last ? i * static_cast<size_t>(channels) + c : c * plane + i] = (sample - mean) / std;
    }
  }
  return tensor;
}

std::string describe(const Preprocess& how) {
  std::string text = how.mode == Preprocess::Mode::kRgb ? "RGB" : "grayscale";
  const std::string filter = how.bicubic ? " (bicubic)" : " (bilinear)";
  if (how.resize.size() == 1) text += ", shorter side resized to " + std::to_string(how.resize[0]) + filter;
  if (how.resize.size() == 2) {
    text += ", resized to " + std::to_string(how.resize[0]) + "x" + std::to_string(how.resize[1]) + filter;
  }
  if (!how.crop.empty()) {
    text += ", center crop " + std::to_string(how.crop[0]) + "x" + std::to_string(how.crop[1]);
  }
  if (how.scale == 1.0 / 255) text += ", scaled by 1/255";
  if (!how.mean.empty() || !how.std.empty()) text += ", normalized";
  return text;
}

}  // namespace lanthorn
