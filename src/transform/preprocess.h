#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"
#include "transform/image.h"

namespace lanthorn {

/// How a picture becomes a model's input, in this order: mode, resize, crop, scale, normalize, layout.
struct Preprocess {
  enum class Mode : uint8_t { kRgb, kGray };
  Mode mode = Mode::kRgb;
  /// Empty: not resized. One number: the shorter side becomes this. Two: height and width.
  std::vector<int64_t> resize;
  bool bicubic = false;               // else bilinear; both widen their filter when they shrink
  std::vector<int64_t> crop;          // height and width around the middle; empty: none
  double scale = 1.0 / 255;           // of the 8-bit samples
  std::vector<double> mean, std;      // per channel, after scaling; empty: none
  bool channels_last = false;         // else [1, channels, height, width]
};

/// "imagenet", "digits", or the path of a JSON file. kNotFound, kUsage for what it says wrongly.
Result<Preprocess> load_preprocess(std::string_view name_or_path);
Result<Preprocess> parse_preprocess(std::string_view json);
/// "RGB, shorter side to 256 (bilinear), center crop 224x224, scaled by 1/255, normalized"
std::string describe(const Preprocess& how);
/// The model's input, float32 [1, C, H, W] (or [1, H, W, C]).
Result<Tensor> preprocess(const Image& image, const Preprocess& how);

}  // namespace lanthorn
