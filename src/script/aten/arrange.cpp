// Tensors made of the elements of others in all their arrangements: products, combinations, blocks, powers, strides.
#include <algorithm>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

constexpr int64_t kMostArranged = int64_t{1} << 22;

// (tensors): all tuples, one a row; of a single vector the vector itself
Result<Value> cartesian_prod(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const auto tensors = args.tensors(0);
  if (tensors.empty()) return lowering.error(ErrorCode::kInvalidInput, "a product of no tensors");
  if (tensors.size() == 1) return e.result(e.op("Identity", {e.read(tensors[0])}));
  std::vector<Value> values(tensors.begin(), tensors.end());
  const DType dtype = result_type(values);
  Dims all;
  for (const TensorRef& one : tensors) all.push_back(product(one->dims));
  std::vector<ValueId> columns;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Dims own(tensors.size(), Dim(1));
    own[i] = all[i];
    const ValueId wide = e.expand(e.reshape(e.read(tensors[i], dtype), own), all);
    columns.push_back(e.reshape(wide, {product(all), Dim(1)}));
  }
  return e.result(e.concat(std::move(columns), 1));
}

// (self, r, with_replacement): all choices of r elements of a vector, one a row
Result<Value> combinations(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const int64_t r, lowering.concrete(args.integer(1)));
  const bool again = args.flag(2);
  if (x->dims.size() != 1 || r < 0) return lowering.error(ErrorCode::kInvalidInput, "combinations want a vector and a count");
  LAN_TRY(const int64_t n, lowering.concrete(x->dims[0]));
  std::vector<int64_t> rows, choice(static_cast<size_t>(r));
  if (r == 0) return e.result(e.reshape(e.slice(e.read(x), 0, Dim(0), Dim(0)), {Dim(0)}));
  for (size_t i = 0; i < choice.size(); ++i) choice[i] = again ? 0 : static_cast<int64_t>(i);
  bool more = n > 0 && (again || r <= n);
  while (more) {
    rows.insert(rows.end(), choice.begin(), choice.end());
    if (static_cast<int64_t>(rows.size()) > kMostArranged) return lowering.error(ErrorCode::kLimit, "too many combinations");
    size_t at = choice.size();
    more = false;
    while (at-- > 0) {
      const int64_t last = again ? n - 1 : n - r + static_cast<int64_t>(at);
      if (choice[at] >= last) continue;
      ++choice[at];
      for (size_t k = at + 1; k < choice.size(); ++k) choice[k] = choice[k - 1] + (again ? 0 : 1);
      more = true;
      break;
    }
  }
  const auto count = static_cast<int64_t>(rows.size()) / r;
  return e.result(e.op("Gather", {e.read(x), e.constant(Tensor::of_ints(rows).reshaped({count, r}))}));
}

// (tensors): matrices along a diagonal
Result<Value> block_diag(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const auto tensors = args.tensors(0);
  std::vector<Value> values(tensors.begin(), tensors.end());
  const DType dtype = tensors.empty() ? DType::kF32 : result_type(values);
  Dim columns(0);
  std::vector<std::pair<ValueId, Dims>> blocks;
  for (const TensorRef& one : tensors) {
    if (one->dims.size() > 2) return lowering.error(ErrorCode::kInvalidInput, "block_diag wants matrices");
    Dims dims = one->dims;
    while (dims.size() < 2) dims.insert(dims.begin(), Dim(1));
    blocks.emplace_back(e.reshape(e.read(one, dtype), dims), dims);
    columns = columns + dims[1];
  }
  std::vector<ValueId> rows;
  Dim before(0);
  for (const auto& [block, dims] : blocks) {
    const Dim after = columns - before - dims[1];
    rows.push_back(e.op("Pad", {block, e.shape({Dim(0), before, Dim(0), after})}));
    before = before + dims[1];
  }
  if (rows.empty()) return e.result(e.filled({1, 0}, 0, dtype));
  return e.result(e.concat(std::move(rows), 0));
}

/// Powers 0 to n - 1 of each element in a new last dimension, ascending or not.
Result<Value> powers(Lowering& lowering, const TensorRef& x, const Dim& count, bool ascending) {
  Emitter e(lowering);
  LAN_TRY(const int64_t n, lowering.concrete(count));
  if (n < 0 || n > kMostArranged) return lowering.error(ErrorCode::kLimit, "a Vandermonde matrix of " + count.text() + " columns");
  const DType dtype = x->dtype;
  std::vector<double> exponents;
  for (int64_t i = 0; i < n; ++i) exponents.push_back(static_cast<double>(ascending ? i : n - 1 - i));
  const ValueId row = e.constant(Tensor::of<double>(DType::kF64, {n}, exponents).cast(dtype));
  return e.result(e.op("Pow", {e.unsqueeze(e.read(x), {-1}), row}));
}

// (x, N, increasing)
Result<Value> vander(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.size() != 1) return lowering.error(ErrorCode::kInvalidInput, "vander wants a vector");
  return powers(lowering, x, args.is_none(1) ? x->dims[0] : args.integer(1), args.flag(2));
}
// (x, N)
Result<Value> linalg_vander(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "vander wants a vector");
  return powers(lowering, x, args.is_none(1) ? x->dims.back() : args.integer(1), true);
}

// (self, size, stride, storage_offset): elements of the memory, which are those of the tensor it was made of
Result<Value> as_strided(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  TensorRef whole = args.tensor(0);
  if (args.is_none(3) && whole->base && !is_contiguous(*whole)) {
    return lowering.error(ErrorCode::kUnsupported, "aten::as_strided of a view, without an offset");
  }
  while (whole->base && !args.is_none(3)) whole = whole->base;
  LAN_TRY(const auto sizes, lowering.concrete(args.ints(1)));
  LAN_TRY(const auto strides, lowering.concrete(args.ints(2)));
  int64_t offset = 0;
  if (!args.is_none(3)) {
    LAN_TRY(offset, lowering.concrete(args.integer(3)));
  }
  LAN_TRY(const int64_t held, lowering.concrete(product(whole->dims)));
  if (sizes.size() != strides.size()) return lowering.error(ErrorCode::kInvalidInput, "sizes and strides do not agree");
  std::vector<int64_t> places = {offset};
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0 || (sizes[i] > 0 && static_cast<int64_t>(places.size()) > kMostArranged / sizes[i]))
      return lowering.error(ErrorCode::kLimit, "as_strided into too many elements");
    std::vector<int64_t> next;
    for (const int64_t place : places) {
      for (int64_t k = 0; k < sizes[i]; ++k) next.push_back(place + k * strides[i]);
    }
    places = std::move(next);
  }
  for (const int64_t place : places) {
    if (place < 0 || place >= held)
      return lowering.error(ErrorCode::kInvalidInput, "as_strided outside of the tensor's memory");
  }
  const ValueId flat = e.reshape(e.read(whole), {Dim(held)});
  return e.result(e.op("Gather", {flat, e.constant(Tensor::of_ints(places).reshaped(sizes))}));
}

constexpr AtenRow kRows[] = {
    {"aten::cartesian_prod(Tensor[] tensors) -> Tensor", cartesian_prod},
    {"aten::combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor", combinations},
    {"aten::block_diag(Tensor[] tensors) -> Tensor", block_diag},
    {"aten::vander(Tensor x, int? N=None, bool increasing=False) -> Tensor", vander},
    {"aten::linalg_vander(Tensor x, *, SymInt? N=None) -> Tensor", linalg_vander},
    {"aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)",
     as_strided},
};

}  // namespace

extern const std::span<const AtenRow> aten_arrange = kRows;

}  // namespace lanthorn::script
