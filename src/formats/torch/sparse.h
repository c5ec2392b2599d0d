#pragma once

#include <string>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// A tensor of a sparse layout, as PyTorch stores it.
struct SparseParts {
  std::string layout;  // "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"
  Tensor first;        // coo: indices [sparse dimensions, entries]; others: compressed indices
  Tensor second;       // others: plain indices
  Tensor values;       // coo: [entries, dense dimensions...]; bsr, bsc: [entries, rows, columns]
  Shape shape;
};

/// The same elements in a dense tensor; entries of the same place are added. The caller has bounded
/// the size. kCorrupt for indices outside the shape and parts that do not fit together;
/// kUnsupported for another layout.
Result<Tensor> densify(const SparseParts& parts);

}  // namespace lanthorn
