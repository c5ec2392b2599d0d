// Col2Im: adds columns of blocks up to an image. https://onnx.ai/onnx/operators/onnx__Col2Im.html

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {
namespace {

Status infer(InferContext& c) {
  const Dims& x = c.dims(0);
  if (x.size() != 3)
    return shape_error("the input " + dims_text(x) + " must have three dimensions");
  const auto image = c.elements(1), block = c.elements(2);
  if (!image) {
    // Only the number of sizes tells the rank.
    if (c.rank(1) != 1 || !c.dims(1)[0].is_known())
      return shape_error("image_shape must be a list");
    Dims y{x[0], Dim::unknown()};
    for (int64_t i = 0; i < c.dims(1)[0].value(); ++i) y.push_back(Dim::unknown());
    c.set_output(0, c.dtype(0), std::move(y));
    return ok();
  }
  if (block && block->size() != image->size())
    return shape_error("image_shape and block_shape differ in length");
  Dims y{x[0], block ? floor_div(x[1], product(*block)) : Dim::unknown()};
  y.insert(y.end(), image->begin(), image->end());
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& out = c.output(0);
  const std::vector<int64_t> image = read_ints(c.input(1));
  LAN_TRY(const Window w, Window::read(c.attributes(), read_ints(c.input(2))));
  if (image.size() != w.rank() || image.empty())
    return shape_error("image_shape and block_shape differ in length");
  std::vector<int64_t> blocks;
  int64_t columns = 1, taps = 1;
  for (size_t i = 0; i < image.size(); ++i) {
    LAN_TRY(const Dim size, w.output(i, image[i]));
    blocks.push_back(size.value());
    if (__builtin_mul_overflow(columns, size.value(), &columns) ||
        __builtin_mul_overflow(taps, w.kernel[i], &taps)) {
      return shape_error("the blocks are too large");
    }
  }
  const TensorView& view = c.input(0);
  if (view.shape[2] != columns || taps == 0 || view.shape[1] % taps != 0) {
    return shape_error("the input has " + std::to_string(view.shape[2]) +
                       " columns; these blocks make " + std::to_string(columns));
  }
  const std::vector<double> x = read_doubles(view);
  std::vector<double> y(static_cast<size_t>(out.count()));
  if (x.empty() || y.empty()) {
    write_doubles(out, y);
    return ok();
  }
  const int64_t planes = out.shape[0] * out.shape[1],
                plane = count_between(out.shape, 2, out.rank());
  for (int64_t p = 0; p < planes; ++p) {
    Counter tap(w.kernel);
    int64_t from = p * taps * columns;
    do {
      Counter block(blocks);
      do {
        int64_t to = 0;
        bool inside = true;
        for (size_t axis = 0; axis < image.size(); ++axis) {
          const int64_t at =
              block[axis] * w.stride[axis] - w.pad_begin[axis] + tap[axis] * w.dilation[axis];
          inside = inside && at >= 0 && at < image[axis];
          to = to * image[axis] + at;
        }
        if (inside) y[static_cast<size_t>(p * plane + to)] += x[static_cast<size_t>(from)];
        ++from;
      } while (block.next());
    } while (tap.next());
  }
  write_doubles(out, y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_col2im{
    .name = "Col2Im",
    .since = 18,
    .inputs = {{"input", kNumbers | kBoolType},
               {"image_shape", kI64Type},
               {"block_shape", kI64Type}},
    .outputs = {{"output", kNumbers | kBoolType}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
