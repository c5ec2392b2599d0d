#include "formats/output_file.h"

#include <algorithm>
#include <vector>

#include "codec/crc32.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

// Small enough that what one step read is still in the cache when the next one takes it.
constexpr size_t kPiece = size_t{1} << 20;

}  // namespace

DType written_dtype(DType dtype, const WriteOptions& options) {
  return options.floats != DType::kUndefined && is_floating(dtype) ? options.floats : dtype;
}

Result<OutputFile> OutputFile::create(const std::filesystem::path& path,
                                      const WriteOptions& options) {
  LAN_TRY(AtomicFile file, AtomicFile::create(path));
  return OutputFile(std::move(file), options);
}

Status OutputFile::commit_all(std::span<OutputFile> files) {
  std::vector<AtomicFile*> all;
  all.reserve(files.size());
  for (OutputFile& file : files) all.push_back(&file.file_);
  return AtomicFile::commit_all(all);
}

Status OutputFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  return file_.write(bytes);
}

Status OutputFile::write_numbers(std::span<const std::byte> bytes, DType from, DType to,
                                 uint32_t* crc) {
  const size_t unit = dtype_bytes(from), wider = std::max(unit, dtype_bytes(to));
  const size_t step = from == to ? kPiece : kPiece / wider * unit;
  std::vector<std::byte> converted;
  if (from != to) {
    if (!can_convert(from, to)) {
      return Error{ErrorCode::kUnsupported, "there is no conversion from " +
                                                std::string(dtype_name(from)) + " to " +
                                                std::string(dtype_name(to))};
    }
    converted.resize(std::min(step, bytes.size()) / unit * dtype_bytes(to));
  }
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(step, bytes.size()));
    for (const auto& source : options_->sources) source->prefetch(piece);
    auto out = piece;
    if (from != to) {
      const size_t count = piece.size() / unit;
      convert(from, piece.data(), to, converted.data(), count, torch_rounding(to));
      out = std::span(converted).first(count * dtype_bytes(to));
    }
    if (crc != nullptr) *crc = crc32(*crc, out);
    LAN_OK(write(out));
    for (const auto& source : options_->sources) source->release(piece);
    if (options_->progress) options_->progress(piece.size());
    bytes = bytes.subspan(piece.size());
  }
  return ok();
}

}  // namespace lanthorn
