#include "transform/resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lanthorn {
namespace {

// Weights are kept as integers with this many fractional bits: 8-bit samples times weights, summed,
// stay inside 32 bits.
constexpr int kWeightBits = 32 - 8 - 2;

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// For each output position the first input sample and the weights of it and those after.
struct Taps {
  std::vector<int64_t> first;
  std::vector<std::vector<int32_t>> weights;
};

Taps taps(int64_t in, int64_t out, bool bicubic) {
  Taps result;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = (bicubic ? 2.0 : 1.0) * stretch;
  for (int64_t i = 0; i < out; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const auto end = std::min<int64_t>(static_cast<int64_t>(center + support + 0.5), in);
    std::vector<double> weights;
    double sum = 0;
    for (int64_t x = begin; x < end; ++x) {
      const double at = (static_cast<double>(x) - center + 0.5) / stretch;
      weights.push_back(bicubic ? cubic(at) : triangle(at));
      sum += weights.back();
    }
    std::vector<int32_t> fixed;
    for (const double w : weights) {
      const double scaled = (sum != 0 ? w / sum : w) * (1 << kWeightBits);
      fixed.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
    result.first.push_back(begin);
    result.weights.push_back(std::move(fixed));
  }
  return result;
}

uint8_t to_sample(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>(sum >> kWeightBits, 0, 255));
}

Image resize_rows(const Image& image, int64_t width, bool bicubic) {
  const Taps t = taps(image.width, width, bicubic);
  const int64_t channels = image.channels;
  Image out{width, image.height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(width * image.height * channels));
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + y * image.width * channels;
    uint8_t* to = out.pixels.data() + y * width * channels;
    for (int64_t x = 0; x < width; ++x) {
      const auto& weights = t.weights[static_cast<size_t>(x)];
      for (int64_t c = 0; c < channels; ++c) {
        int64_t sum = int64_t{1} << (kWeightBits - 1);
        const uint8_t* from = row + t.first[static_cast<size_t>(x)] * channels + c;
        for (size_t k = 0; k < weights.size(); ++k) sum += from[static_cast<int64_t>(k) * channels] * int64_t{weights[k]};
        to[x * channels + c] = to_sample(sum);
      }
    }
  }
  return out;
}

Image resize_columns(const Image& image, int64_t height, bool bicubic) {
  const Taps t = taps(image.height, height, bicubic);
  const int64_t stride = image.width * image.channels;
  Image out{image.width, height, image.channels, {}};
  out.pixels.resize(static_cast<size_t>(height * stride));
  std::vector<int64_t> sums(static_cast<size_t>(stride));
  for (int64_t y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), int64_t{1} << (kWeightBits - 1));
    const auto& weights = t.weights[static_cast<size_t>(y)];
    for (size_t k = 0; k < weights.size(); ++k) {
      const uint8_t* row = image.pixels.data() + (t.first[static_cast<size_t>(y)] + static_cast<int64_t>(k)) * stride;
      for (int64_t i = 0; i < stride; ++i) sums[static_cast<size_t>(i)] += row[i] * int64_t{weights[k]};
    }
    uint8_t* to = out.pixels.data() + y * stride;
    for (int64_t i = 0; i < stride; ++i) to[i] = to_sample(sums[static_cast<size_t>(i)]);
  }
  return out;
}

}  // namespace

Result<Image> resize(const Image& image, int64_t height, int64_t width, bool bicubic) {
  if (height <= 0 || width <= 0 || image.width <= 0 || image.height <= 0) {
    return Error{ErrorCode::kInvalidInput, "cannot be resized to or from nothing", "picture", ""};
  }
  const auto limit = static_cast<int64_t>(kMaxImagePixels);
  if (height > limit / width || width > limit / image.height) {
    return Error{ErrorCode::kLimit, "would have too many pixels after resizing", "picture", ""};
  }
  Image out = width == image.width ? image : resize_rows(image, width, bicubic);
  if (height != out.height) out = resize_columns(out, height, bicubic);
  return out;
}

}  // namespace lanthorn
