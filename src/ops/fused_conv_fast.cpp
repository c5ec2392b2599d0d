// Convolution of NHWC images with bias, residual and activation in its store.
#include <array>

#include "kernels/activation_name.h"
#include "kernels/conv.h"
#include "kernels/conv_bf16.h"
#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

struct PreparedConv {
  const KernelTable* table = nullptr;
  ConvSizes shape;  // but batch, input and output sizes, which come with a run
  PadRule pad_rule;
  PackedConv packed;
  PackedBf16 bf16;  // in place of `packed`
  Activation activation = Activation::kNone;
  float alpha = 0.0f, beta = 0.0f;
};

// Sizes, and the padding where it follows from them.
void set_sizes(std::span<const int64_t> input, std::span<const int64_t> output, PadRule rule,
               ConvSizes* s) {
  s->batch = static_cast<size_t>(input[0]);
  s->in_h = static_cast<size_t>(input[1]);
  s->in_w = static_cast<size_t>(input[2]);
  s->in_c = static_cast<size_t>(input[3]);
  s->out_h = static_cast<size_t>(output[1]);
  s->out_w = static_cast<size_t>(output[2]);
  s->out_c = static_cast<size_t>(output[3]);
  s->pad_top =
      rule.pads(s->in_h, s->out_h, s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, 0).first;
  s->pad_left =
      rule.pads(s->in_w, s->out_w, s->kernel_w, s->stride_w, s->dilation_w, s->pad_left, 0).first;
}

ConvSizes shape_of(const KernelQuery& query) {
  const Attributes& attributes = query.node.attributes;
  const std::vector<int64_t> strides = attributes.ints("strides", {1, 1});
  const std::vector<int64_t> dilations = attributes.ints("dilations", {1, 1});
  const std::vector<int64_t> pads = attributes.ints("pads", {0, 0, 0, 0});
  ConvSizes s;
  s.kernel_h = static_cast<size_t>(query.dim(1, 2));
  s.kernel_w = static_cast<size_t>(query.dim(1, 3));
  s.stride_h = static_cast<size_t>(strides[0]);
  s.stride_w = static_cast<size_t>(strides[1]);
  s.dilation_h = static_cast<size_t>(dilations[0]);
  s.dilation_w = static_cast<size_t>(dilations[1]);
  s.pad_top = static_cast<size_t>(pads[0]);
  s.pad_left = static_cast<size_t>(pads[1]);
  s.groups = static_cast<size_t>(attributes.integer("group", 1));
  set_sizes(dims_of(query.inputs[0]), dims_of(query.outputs[0]), {auto_pad_of(attributes)}, &s);
  return s;
}

bool applies(const KernelQuery& query) {
  if (!all_float32(query) || query.constants[1] == nullptr) return false;
  if (query.inputs[0].dims.size() != 4 || query.inputs[1].dims.size() != 4) return false;
  const auto two = [&query](const char* name) {
    const std::vector<int64_t> values = query.node.attributes.ints(name, {1, 1});
    return values.size() == 2 && values[0] > 0 && values[1] > 0;
  };
  const std::vector<int64_t> pads = query.node.attributes.ints("pads", {0, 0, 0, 0});
  if (!two("strides") || !two("dilations") || pads.size() != 4) return false;
  for (const int64_t pad : pads) {
    if (pad < 0) return false;
  }
  return query.dim(0, 3) > 0 && query.dim(1, 0) > 0 &&
         activation_from_name(query.node.attributes.text("activation", "")).has_value();
}

template <ConvAlgorithm kAlgorithm>
bool applies_as(const KernelQuery& query) {
  return applies(query) && choose_conv(shape_of(query)) == kAlgorithm;
}

void set_up(const KernelQuery& query, PreparedConv* prepared) {
  const Attributes& attributes = query.node.attributes;
  prepared->table = &kernels(query.isa);
  prepared->shape = shape_of(query);
  prepared->pad_rule.mode = auto_pad_of(attributes);
  prepared->activation = *activation_from_name(attributes.text("activation", ""));
  prepared->alpha = attributes.real("alpha", 0.0f);
  prepared->beta = attributes.real("beta", 0.0f);
}

Result<std::shared_ptr<const void>> prepare(const KernelQuery& query) {
  auto prepared = std::make_shared<PreparedConv>();
  set_up(query, prepared.get());
  LAN_TRY(const Tensor weights, query.constants[1]->contiguous());
  prepared->packed = pack_conv(*prepared->table, {}, prepared->shape, choose_conv(prepared->shape),
                               weights.as<float>().data());
  return std::shared_ptr<const void>(std::move(prepared));
}

uint64_t pack_key(const KernelQuery& query) {
  return key_of_isa(query) << 8 | static_cast<uint64_t>(choose_conv(shape_of(query)));
}

size_t scratch_bytes(const KernelQuery& query) {
  const ConvSizes s = shape_of(query);
  return conv_scratch_floats(kernels(query.isa), s, choose_conv(s), query.threads) * sizeof(float);
}

template <bool kBf16>
Status run(const RunContext& context) {
  const auto& prepared = *static_cast<const PreparedConv*>(context.prepared());
  ConvSizes s = prepared.shape;
  set_sizes(context.input(0).shape, context.output(0).shape, prepared.pad_rule, &s);
  Epilogue epilogue;
  epilogue.bias = floats_or_null(context, 2);
  epilogue.residual = floats_or_null(context, 3);
  epilogue.residual_stride = s.out_c;
  epilogue.activation = prepared.activation;
  epilogue.alpha = prepared.alpha;
  epilogue.beta = prepared.beta;
  if constexpr (kBf16) {
    convolve_bf16(*prepared.table, workers_of(context), s, prepared.bf16, floats(context.input(0)),
                  floats(context.output(0)), epilogue, context.scratch().data());
    return ok();
  }
  convolve_nhwc(*prepared.table, workers_of(context), s, prepared.packed, floats(context.input(0)),
           floats(context.output(0)), epilogue, reinterpret_cast<float*>(context.scratch().data()));
  return ok();
}

template <ConvAlgorithm kAlgorithm>
constexpr FastKernel kernel(std::string_view name) {
  return {.name = name,
          .applies = applies_as<kAlgorithm>,
          .prepare = prepare,
          .pack_key = pack_key,
          .scratch_bytes = scratch_bytes,
          .run = run<false>,
          .packed_inputs = 1u << 1};
}

bool applies_bf16(const KernelQuery& query) {
  return query.bf16 && applies(query) && conv_bf16_applies(shape_of(query));
}

Result<std::shared_ptr<const void>> prepare_bf16(const KernelQuery& query) {
  auto prepared = std::make_shared<PreparedConv>();
  set_up(query, prepared.get());
  LAN_TRY(const Tensor weights, query.constants[1]->contiguous());
  prepared->bf16 = pack_conv_bf16(*prepared->table, prepared->shape, weights.as<float>().data());
  return std::shared_ptr<const void>(std::move(prepared));
}

size_t scratch_bf16(const KernelQuery& query) {
  return conv_bf16_scratch_bytes(shape_of(query), query.threads);
}

constexpr FastKernel kKernels[] = {
    {.name = "fused_conv/bf16",
     .applies = applies_bf16,
     .prepare = prepare_bf16,
     .pack_key = key_of_isa,
     .scratch_bytes = scratch_bf16,
     .run = run<true>,
     .packed_inputs = 1u << 1},
    kernel<ConvAlgorithm::kPointwise>("fused_conv/pointwise"),
    kernel<ConvAlgorithm::kWinograd4>("fused_conv/winograd4"),
    kernel<ConvAlgorithm::kWinograd2>("fused_conv/winograd2"),
    kernel<ConvAlgorithm::kDepthwise>("fused_conv/depthwise"),
    kernel<ConvAlgorithm::kGrouped>("fused_conv/grouped"),
    kernel<ConvAlgorithm::kRows>("fused_conv/rows"),
    kernel<ConvAlgorithm::kIndirect>("fused_conv/indirect"),
};

}  // namespace

extern constinit const std::span<const FastKernel> fast_fused_conv = kKernels;

}  // namespace lanthorn
