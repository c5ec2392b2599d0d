#include "formats/format.h"

#include <algorithm>

#include "base/checked.h"
#include "codec/byte_reader.h"
#include "formats/named_tensors.h"
#include "formats/safetensors/dtypes.h"
#include "formats/safetensors/header.h"

namespace lanthorn {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // of the format itself

using Row = SafetensorsDType;

Error at(const SafetensorsEntry& entry, std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "tensor '" + entry.name + "'"};
}

/// Checks that an entry's bytes are as many as its dtype and shape take.
Result<const Row*> check_entry(const SafetensorsEntry& entry) {
  const Row* row = safetensors_dtype(entry.dtype);
  if (row == nullptr) return at(entry, "there is no dtype '" + entry.dtype + "'");
  const auto bits = checked_product(entry.shape, static_cast<uint64_t>(row->bits));
  if (!bits || *bits % 8 != 0 || entry.end < entry.begin || *bits / 8 != entry.end - entry.begin) {
    return at(entry, entry.dtype + shape_text(entry.shape) +
                         (bits ? " takes " + std::to_string(*bits / 8) + " bytes"
                               : " has no size that can be held") +
                         ", but its data_offsets are " + std::to_string(entry.begin) + " and " +
                         std::to_string(entry.end));
  }
  return row;
}

/// The tensors must fill the rest of the file, without holes and without sharing bytes.
Status check_layout(const std::vector<SafetensorsEntry>& entries, uint64_t size) {
  std::vector<const SafetensorsEntry*> ordered;
  ordered.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) ordered.push_back(&entry);
  std::sort(ordered.begin(), ordered.end(),
            [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
              return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
            });
  uint64_t position = 0;
  for (const SafetensorsEntry* entry : ordered) {
    if (entry->begin != position) {
      return at(*entry, "its bytes begin at " + std::to_string(entry->begin) +
                            ", but the bytes before it end at " + std::to_string(position));
    }
    position = entry->end;
  }
  if (position == size) return ok();
  return Error{ErrorCode::kCorrupt,
               "the tensors take " + std::to_string(position) + " bytes, but " +
                   std::to_string(size) + " follow the header",
               "", position > size ? "The file is probably cut short; fetch it again." : ""};
}

/// Two values a byte in the file, one a byte here.
Result<Tensor> unpack_f4(const SafetensorsEntry& entry, std::span<const std::byte> packed,
                         uint64_t& budget) {
  const uint64_t count = packed.size() * 2;
  if (count > budget)
    return Error{ErrorCode::kLimit, "there is not enough memory to unpack '" + entry.name + "'"};
  budget -= count;
  LAN_TRY(Tensor tensor, Tensor::allocate(DType::kF4E2M1, entry.shape));
  std::byte* target = tensor.mutable_data();
  for (const std::byte pair : packed) {
    *target++ = pair & std::byte{15};
    *target++ = pair >> 4;
  }
  return tensor;
}

/// Tensors that were tied when safetensors' save_model wrote them are there once; the metadata has the
/// other names: {"lm_head.weight": "embed.weight"}.
Status add_aliases(FileContents& contents) {
  for (const auto& [alias, name] : contents.metadata) {
    const Tensor* kept = contents.tensors.find(name);
    if (kept == nullptr || alias == "format" || contents.tensors.find(alias) != nullptr) continue;
    LAN_OK(contents.tensors.add(alias, *kept));
  }
  return ok();
}

bool matches(std::span<const std::byte> bytes) {
  if (bytes.size() < 9 || bytes[8] != std::byte{'{'}) return false;
  const bool short_header = load_little<uint64_t>(bytes.data()) <= kMaxHeader;
  if (bytes.size() == 9) return short_header;
  const char next = static_cast<char>(bytes[9]);
  return next == '"' ||
         (short_header && std::string_view("} \t\r\n{").find(next) != std::string_view::npos);
}

Result<FileContents> read(const std::shared_ptr<const MappedFile>& file, const ReadLimits& limits) {
  ByteReader reader(file->bytes());
  LAN_TRY(const auto header_bytes, reader.number<uint64_t>());
  if (header_bytes > kMaxHeader || header_bytes > reader.remaining()) {
    return Error{ErrorCode::kCorrupt,
                 "the header has " + std::to_string(header_bytes) + " bytes, but " +
                     std::to_string(reader.remaining()) + " follow" +
                     (header_bytes > kMaxHeader ? " and 100000000 are allowed" : ""),
                 "byte 0", "The file is probably cut short; fetch it again."};
  }
  LAN_TRY(const auto json, reader.take(header_bytes));
  if (json.empty()) return Error{ErrorCode::kCorrupt, "the header is empty", "byte 0"};
  LAN_TRY(SafetensorsHeader header, parse_safetensors_header(as_text(json)));
  const auto data = file->bytes().subspan(reader.position());
  std::vector<const Row*> rows;
  rows.reserve(header.entries.size());
  for (const SafetensorsEntry& entry : header.entries) {
    LAN_TRY(const Row* row, check_entry(entry));
    rows.push_back(row);
  }
  LAN_OK(check_layout(header.entries, data.size()));
  FileContents contents;
  contents.format = "safetensors";
  contents.metadata = std::move(header.metadata);
  uint64_t budget = inflated_limit(limits, file->bytes().size());
  std::vector<NamedTensor> tensors;
  tensors.reserve(header.entries.size());
  for (size_t i = 0; i < header.entries.size(); ++i) {
    SafetensorsEntry& entry = header.entries[i];
    const auto bytes = data.subspan(entry.begin, entry.end - entry.begin);
    if (rows[i]->dtype == DType::kUndefined) {
      contents.notes.push_back("tensor '" + entry.name + "' was left out: its dtype " +
                               entry.dtype + " cannot be read");
      continue;
    }
    auto tensor = rows[i]->bits < 8 ? unpack_f4(entry, bytes, budget)
                                    : Tensor::wrap(rows[i]->dtype, entry.shape, bytes, file);
    if (!tensor) return std::move(tensor).error().at("tensor '" + entry.name + "'");
    tensors.push_back({std::move(entry.name), *std::move(tensor)});
  }
  LAN_TRY(contents.tensors, make_state_dict(std::move(tensors)));
  LAN_OK(add_aliases(contents));
  return contents;
}

}  // namespace

extern const Format format_safetensors;
const Format format_safetensors{.name = "safetensors",
                                .versions = "safetensors 0.8, shards with an index too",
                                .matches = matches,
                                .read = read,
                                .written = "safetensors 0.8, shards with an index too"};

}  // namespace lanthorn
