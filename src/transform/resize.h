#pragma once

#include "lanthorn/result.h"
#include "transform/image.h"

namespace lanthorn {

/// Resamples with a triangle (bilinear) or cubic (a = -0.5) filter, horizontally and then vertically,
/// to 8 bits after each. Where the picture shrinks, the filter is widened by the same factor. kLimit
/// where the result has more than kMaxImagePixels.
Result<Image> resize(const Image& image, int64_t height, int64_t width, bool bicubic);

}  // namespace lanthorn
