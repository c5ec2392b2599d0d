#include "ops/matmul_shared.h"

#include <algorithm>

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {

Result<Dims> infer_matmul(const Dims& a, const Dims& b) {
  if (a.empty() || b.empty()) return shape_error("a factor is a scalar");
  const Dim& depth = a.back();
  const Dim& other = b.size() == 1 ? b[0] : b[b.size() - 2];
  if (!may_equal(depth, other)) {
    return shape_error("factors " + dims_text(a) + " and " + dims_text(b) +
                       " do not fit: " + depth.text() + " columns meet " + other.text() + " rows");
  }
  const size_t a_batch = a.size() > 2 ? a.size() - 2 : 0;
  const size_t b_batch = b.size() > 2 ? b.size() - 2 : 0;
  const size_t batch = std::max(a_batch, b_batch);
  Dims y;
  for (size_t i = 0; i < batch; ++i) {
    const Dim left = i + a_batch >= batch ? a[i + a_batch - batch] : Dim(1);
    const Dim right = i + b_batch >= batch ? b[i + b_batch - batch] : Dim(1);
    if (!left.is(1) && !right.is(1) && !may_equal(left, right)) {
      return shape_error("factors " + dims_text(a) + " and " + dims_text(b) +
                         " have batches that do not fit");
    }
    if (left.is(1)) {
      y.push_back(right);
    } else if (right.is(1) || left == right || left.is_known()) {
      y.push_back(left);
    } else {
      y.push_back(right.is_known() ? right : max(left, right));
    }
  }
  if (a.size() > 1) y.push_back(a[a.size() - 2]);
  if (b.size() > 1) y.push_back(b.back());
  return y;
}

MatMulShape matmul_shape(std::span<const int64_t> a, std::span<const int64_t> b) {
  MatMulShape shape;
  shape.depth = a.back();
  if (a.size() > 1) shape.rows = a[a.size() - 2];
  if (b.size() > 1) shape.columns = b.back();
  const std::vector<int64_t> left(a.begin(), a.size() > 2 ? a.end() - 2 : a.begin());
  const std::vector<int64_t> right(b.begin(), b.size() > 2 ? b.end() - 2 : b.begin());
  const size_t rank = std::max(left.size(), right.size());
  std::vector<int64_t> batch(rank, 1);
  const auto size_at = [&](const std::vector<int64_t>& sizes, size_t i) {
    return i + sizes.size() >= rank ? sizes[i + sizes.size() - rank] : 1;
  };
  int64_t count = 1;
  for (size_t i = 0; i < rank; ++i) {
    batch[i] = size_at(left, i) == 1 ? size_at(right, i) : size_at(left, i);
    count *= batch[i];
  }
  if (count == 0) return shape;
  Counter at(batch);
  do {
    int64_t from_a = 0, from_b = 0;
    for (size_t i = 0; i < rank; ++i) {
      from_a = from_a * size_at(left, i) + (size_at(left, i) == 1 ? 0 : at[i]);
      from_b = from_b * size_at(right, i) + (size_at(right, i) == 1 ? 0 : at[i]);
    }
    shape.a_offsets.push_back(from_a * shape.rows * shape.depth);
    shape.b_offsets.push_back(from_b * shape.depth * shape.columns);
  } while (at.next());
  return shape;
}

}  // namespace lanthorn
