#include <algorithm>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

// Values worked on between two looks at memory: a part of the first-level cache.
constexpr size_t kBlock = 4096;

bool applies(const KernelQuery& query) {
  const std::string_view activation = query.node.attributes.text("activation", "");
  return all_float32(query) && !query.inputs[0].dims.back().is(0) && (activation.empty() || activation == "Relu");
}

Status run(const RunContext& context) {
  const KernelTable& table = table_of(context);
  const TensorView& x = context.input(0);
  const size_t channels = static_cast<size_t>(x.shape.back());
  const size_t rows = extent(x.shape) / channels;
  const size_t step = std::max<size_t>(1, kBlock / channels);
  const bool relu = context.attributes().text("activation", "") == "Relu";
  const float* scale = floats(context.input(1));
  const float* shift = floats(context.input(2));
  float* y = floats(context.output(0));
  const Workers workers = workers_of(context);
  workers.run(rows, workers.grain(rows, step), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; r += step) {
      const size_t count = std::min(step, end - r);
      float* to = y + r * channels;
      table.elementwise->affine(floats(x) + r * channels, scale, shift, to, count, channels);
      if (relu) table.elementwise->activate(Activation::kRelu, 0, 0, to, to, count * channels);
    }
  });
  return ok();
}

constexpr FastKernel kKernels[] = {{.name = "channel_affine/rows",
                                    .applies = applies,
                                    .prepare = prepare_table,
                                    .pack_key = key_of_isa,
                                    .run = run,
                                    .in_place = true}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_channel_affine = kKernels;

}  // namespace lanthorn
