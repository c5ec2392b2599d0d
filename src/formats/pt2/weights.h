#pragma once

#include <string>
#include <vector>

#include "formats/format.h"
#include "formats/torch/archive.h"
#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// The tensors of an archive of torch.export of PyTorch 2.8 and later: raw storages in `folder`
/// ("data/weights/"), described by a JSON file beside them whose name ends with `config`. Tensors of
/// one record are tied. Pickled ones are left out, with a note. kCorrupt, kLimit.
Result<std::vector<NamedTensor>> read_export_tensors(const TorchArchive& archive,
                                                     const std::string& folder,
                                                     const std::string& config,
                                                     const ReadLimits& limits,
                                                     std::vector<std::string>& notes);

}  // namespace lanthorn
