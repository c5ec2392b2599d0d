#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "formats/flat_tensors.h"
#include "formats/output_file.h"
#include "formats/write.h"
#include "lanthorn/result.h"

namespace lanthorn {

/// Writes some of the tensors into one file, and adds to the report what it has to say.
using WriteShard = std::function<Status(OutputFile& file, const std::filesystem::path& path,
                                        const std::vector<FlatTensor>& tensors,
                                        const WriteOptions& options, WriteReport& report)>;

/// Writes tensors into `path`, or, where they have more than options.max_shard_bytes, into
/// "NAME-00001-of-00003.EXT", ... beside "NAME.EXT.index.json", as model hubs have them. Tensors go in
/// order; those that share a Storage into the same file. Files get their names when all are whole:
/// all of them or none.
Result<WriteReport> write_shards(const std::filesystem::path& path,
                                 const std::vector<FlatTensor>& tensors,
                                 const WriteOptions& options, const WriteShard& write);

}  // namespace lanthorn
