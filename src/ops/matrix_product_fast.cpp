// Matrix products with a constant right-hand matrix, packed once, and of computed matrices.
// FAST: fused_mat_mul mat_mul gemm
#include <algorithm>

#include "kernels/activation_name.h"
#include "kernels/gemm.h"
#include "kernels/low_precision.h"
#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

struct PreparedProduct {
  const KernelTable* table = nullptr;
  PackedMatrix packed;
  PackedBf16 bf16;  // in place of `packed` where products are in bfloat16
  Activation activation = Activation::kNone;
  float alpha = 0.0f, beta = 0.0f;
};

bool constant_matrix(const KernelQuery& query) {
  return all_float32(query) && query.constants[1] != nullptr && query.inputs[1].dims.size() == 2 &&
         query.inputs[0].dims.size() >= 1;
}

Result<std::shared_ptr<const void>> pack(const KernelQuery& query, bool transposed) {
  auto prepared = std::make_shared<PreparedProduct>();
  prepared->table = &kernels(query.isa);
  LAN_TRY(const Tensor b, query.constants[1]->contiguous());
  const auto rows = static_cast<size_t>(b.shape()[0]), columns = static_cast<size_t>(b.shape()[1]);
  const size_t k = transposed ? columns : rows, n = transposed ? rows : columns;
  const size_t k_stride = transposed ? 1 : columns, n_stride = transposed ? columns : 1;
  const float* values = b.as<float>().data();
  if (query.bf16) {
    prepared->bf16 = pack_bf16(*prepared->table, values, k, n, k_stride, n_stride);
  } else {
    prepared->packed = pack_matrix(*prepared->table, {}, values, k, n, k_stride, n_stride);
  }
  const Attributes& attributes = query.node.attributes;
  if (query.node.op == "FusedMatMul") {
    prepared->activation = *activation_from_name(attributes.text("activation", ""));
    prepared->alpha = attributes.real("alpha", 0.0f);
    prepared->beta = attributes.real("beta", 0.0f);
  }
  return std::shared_ptr<const void>(std::move(prepared));
}

// A's rows in bfloat16.
size_t packed_scratch(const KernelQuery& query) {
  if (!query.bf16) return 0;
  const std::vector<int64_t> a = input_dims(query, 0);
  return bf16_scratch_bytes(extent(std::span(a).first(a.size() - 1)), static_cast<size_t>(a.back()));
}

Status run_packed(const RunContext& context, const float* bias, const float* residual) {
  const auto& prepared = *static_cast<const PreparedProduct*>(context.prepared());
  const bool bf16 = prepared.bf16.nr > 0;
  const size_t k = bf16 ? prepared.bf16.k : prepared.packed.k, n = bf16 ? prepared.bf16.n : prepared.packed.n;
  const size_t m = extent(context.input(0).shape.first(context.input(0).rank() - 1));
  Epilogue epilogue;
  epilogue.bias = bias;
  epilogue.residual = residual;
  epilogue.residual_stride = n;
  epilogue.activation = prepared.activation;
  epilogue.alpha = prepared.alpha;
  epilogue.beta = prepared.beta;
  if (bf16) {
    multiply_bf16(*prepared.table, workers_of(context), floats(context.input(0)), m, prepared.bf16,
                  floats(context.output(0)), n, epilogue, context.scratch().data());
  } else {
    multiply(*prepared.table, workers_of(context), floats(context.input(0)), k, m, prepared.packed,
             floats(context.output(0)), n, epilogue);
  }
  return ok();
}

// FusedMatMul: A [..., K], constant B [K, N] or with transB [N, K], bias [N], residual like the output.

bool fused_applies(const KernelQuery& query) {
  return constant_matrix(query) &&
         activation_from_name(query.node.attributes.text("activation", "")).has_value();
}

Result<std::shared_ptr<const void>> fused_prepare(const KernelQuery& query) {
  return pack(query, query.node.attributes.integer("transB", 0) != 0);
}

Status fused_run(const RunContext& context) {
  return run_packed(context, floats_or_null(context, 2), floats_or_null(context, 3));
}

constexpr FastKernel kFused[] = {{.name = "fused_mat_mul/packed",
                                  .applies = fused_applies,
                                  .prepare = fused_prepare,
                                  .pack_key = key_of_isa,
                                  .scratch_bytes = packed_scratch,
                                  .run = fused_run,
                                  .packed_inputs = 1u << 1}};

// Gemm with a constant B: alpha and beta of 1, A as it is; C a row, a matrix or absent.

bool gemm_applies(const KernelQuery& query) {
  const Attributes& attributes = query.node.attributes;
  if (!constant_matrix(query) || query.inputs[0].dims.size() != 2) return false;
  if (attributes.integer("transA", 0) != 0 || attributes.real("alpha", 1.0f) != 1.0f) return false;
  if (!query.has_input(2)) return true;
  if (attributes.real("beta", 1.0f) != 1.0f) return false;
  const std::vector<int64_t> c = dims_of(query.inputs[2]), out = dims_of(query.outputs[0]);
  const bool row = (c.size() == 1 && c[0] == out[1]) || (c.size() == 2 && c[0] == 1 && c[1] == out[1]);
  return row || c == out;
}

Result<std::shared_ptr<const void>> gemm_prepare(const KernelQuery& query) {
  return pack(query, query.node.attributes.integer("transB", 0) != 0);
}

Status gemm_run(const RunContext& context) {
  if (!context.has_input(2)) return run_packed(context, nullptr, nullptr);
  const TensorView& c = context.input(2);
  const bool row = c.rank() == 1 || c.shape[0] == 1;
  return run_packed(context, row ? floats(c) : nullptr, row ? nullptr : floats(c));
}

constexpr FastKernel kGemm[] = {{.name = "gemm/packed",
                                 .applies = gemm_applies,
                                 .prepare = gemm_prepare,
                                 .pack_key = key_of_isa,
                                 .scratch_bytes = packed_scratch,
                                 .run = gemm_run,
                                 .packed_inputs = 1u << 1}};

// MatMul: constant matrix on the right, or any two with equal or single leading dimensions.

Result<std::shared_ptr<const void>> matmul_prepare(const KernelQuery& query) {
  return pack(query, false);
}

Status matmul_run(const RunContext& context) { return run_packed(context, nullptr, nullptr); }

bool computed_applies(const KernelQuery& query) {
  if (!all_float32(query)) return false;
  const std::vector<int64_t> a = dims_of(query.inputs[0]), b = dims_of(query.inputs[1]);
  if (a.size() < 2 || b.size() < 2) return false;
  const std::span<const int64_t> a_batch(a.data(), a.size() - 2), b_batch(b.data(), b.size() - 2);
  return extent(b_batch) == 1 || std::ranges::equal(a_batch, b_batch);
}

// Where a matrix on the right is used by many rows, packing it pays even for one use.
constexpr size_t kPackingRows = 32;

struct ComputedSizes {
  size_t batch, m, n, k;
  bool one_b;  // one matrix on the right for all
  bool packs;
};

ComputedSizes computed_sizes(std::span<const int64_t> a, std::span<const int64_t> b) {
  ComputedSizes s{};
  s.batch = extent(a.first(a.size() - 2));
  s.m = static_cast<size_t>(a[a.size() - 2]);
  s.k = static_cast<size_t>(a.back());
  s.n = static_cast<size_t>(b.back());
  s.one_b = extent(b.first(b.size() - 2)) == 1;
  if (s.one_b) {
    s.m *= s.batch;
    s.batch = 1;
  }
  s.packs = s.m >= kPackingRows && s.n >= 16 && s.k >= 16;
  return s;
}

size_t computed_scratch(const KernelQuery& query) {
  const std::vector<int64_t> a = dims_of(query.inputs[0]), b = dims_of(query.inputs[1]);
  const ComputedSizes s = computed_sizes(a, b);
  if (!s.packs) return 0;
  const size_t nr = kernels(query.isa).gemm->panel_width(s.n);
  const size_t one = (s.n + nr - 1) / nr * nr * s.k;
  const size_t at_once = std::min<size_t>(s.batch, static_cast<size_t>(std::max(query.threads, 1)));
  return one * at_once * sizeof(float);
}

Status computed_run(const RunContext& context) {
  const KernelTable& table = table_of(context);
  const TensorView& a = context.input(0);
  const TensorView& b = context.input(1);
  const ComputedSizes s = computed_sizes(a.shape, b.shape);
  const Workers workers = workers_of(context);
  float* y = floats(context.output(0));
  if (!s.packs) {
    BatchedGemm product;
    product.one = {floats(a), s.k, floats(b), s.n, y, s.n, s.m, s.n, s.k, 1.0f};
    product.batch = s.batch;
    product.a_step = s.m * s.k;
    product.b_step = s.k * s.n;
    product.c_step = s.m * s.n;
    multiply_batched(table, workers, product);
    return ok();
  }
  auto* scratch = reinterpret_cast<float*>(context.scratch().data());
  const size_t nr = table.gemm->panel_width(s.n), panels = (s.n + nr - 1) / nr;
  GemmArgs args;
  args.lda = s.k;
  args.tap_k = s.k;
  args.nr = nr;
  args.n = s.n;
  args.ldc = s.n;
  if (s.batch == 1 || workers.count() == 1) {
    for (size_t i = 0; i < s.batch; ++i) {
      workers.run(panels, workers.grain(panels, 1), [&](size_t begin, size_t end) {
        table.gemm->pack(floats(b) + i * s.k * s.n, s.n, 1, s.k, s.n, nr, begin, end, scratch);
      });
      args.a = floats(a) + i * s.m * s.k;
      args.b = scratch;
      args.c = y + i * s.m * s.n;
      multiply(table, workers, args, s.m);
    }
    return ok();
  }
  ScratchSlots slots(workers.count());
  workers.run(s.batch, 1, [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    GemmArgs mine = args;
    float* packed = scratch + lease.index() * panels * nr * s.k;
    for (size_t i = begin; i < end; ++i) {
      table.gemm->pack(floats(b) + i * s.k * s.n, s.n, 1, s.k, s.n, nr, 0, panels, packed);
      mine.a = floats(a) + i * s.m * s.k;
      mine.b = packed;
      mine.c = y + i * s.m * s.n;
      multiply(table, {}, mine, s.m);
    }
  });
  return ok();
}

constexpr FastKernel kMatMul[] = {{.name = "mat_mul/packed",
                                   .applies = constant_matrix,
                                   .prepare = matmul_prepare,
                                   .pack_key = key_of_isa,
                                   .scratch_bytes = packed_scratch,
                                   .run = matmul_run,
                                   .packed_inputs = 1u << 1},
                                  {.name = "mat_mul/computed",
                                   .applies = computed_applies,
                                   .prepare = prepare_table,
                                   .pack_key = key_of_isa,
                                   .scratch_bytes = computed_scratch,
                                   .run = computed_run}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_fused_mat_mul = kFused;
extern constinit const std::span<const FastKernel> fast_gemm = kGemm;
extern constinit const std::span<const FastKernel> fast_mat_mul = kMatMul;

}  // namespace lanthorn
