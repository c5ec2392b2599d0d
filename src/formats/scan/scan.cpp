#include "formats/scan/scan.h"

#include <algorithm>

#include "codec/bunzip2.h"
#include "codec/byte_reader.h"
#include "codec/inflate.h"
#include "codec/lzma.h"
#include "codec/tar.h"
#include "formats/format.h"
#include "formats/scan/scanner.h"

namespace lanthorn {
namespace {

/// Containers that Python programs open and this one does not.
bool is_closed_container(ContentKind kind) {
  return kind >= ContentKind::kZstd && kind <= ContentKind::kRar;
}

/// Up to `limit` bytes of what compressed bytes of this kind become.
Inflated unpack_prefix(std::span<const std::byte> bytes, ContentKind kind, uint64_t limit) {
  switch (kind) {
    case ContentKind::kGzip:
      return inflate_prefix(bytes, DeflateWrapper::kGzip, limit);
    case ContentKind::kBzip2:
      return bunzip2_prefix(bytes, limit);
    case ContentKind::kXz:
      return unxz_prefix(bytes, limit);
    case ContentKind::kLzma:
      return unlzma_prefix(bytes, limit);
    default:
      return inflate_prefix(bytes, DeflateWrapper::kZlib, limit);
  }
}

/// Whether a path, followed from a folder, ever comes to be above it.
bool leaves_folder(std::string_view path) {
  if (path.starts_with('/') || path.starts_with('\\')) return true;
  int depth = 0;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find_first_of("/\\", start), path.size());
    const std::string_view part = path.substr(start, end - start);
    if (part == "..") --depth;
    if (!part.empty() && part != "." && part != "..") ++depth;
    if (depth < 0) return true;
    start = end + 1;
  }
  return false;
}

constexpr std::string_view kNotOpened = "is not opened: unpack it and scan what is in it";

}  // namespace

GlobalVerdict ScanReport::worst() const {
  GlobalVerdict worst = GlobalVerdict::kSafe;
  for (const ScanFinding& finding : findings) {
    if (finding.verdict == GlobalVerdict::kDangerous) return finding.verdict;
    if (finding.verdict == GlobalVerdict::kUnknown) worst = finding.verdict;
  }
  return worst;
}

void Scanner::add(ScanFinding finding) {
  if (finding.verdict == GlobalVerdict::kSafe) {
    const auto [known, added] =
        listed_.emplace(finding.member + '\n' + finding.name, report_.findings.size());
    if (!added) {
      ++report_.findings[known->second].count;
      return;
    }
  }
  // Where there are too many, what is safe makes room for what is not.
  const uint64_t most = limits_.max_findings;
  const uint64_t allowed = finding.verdict == GlobalVerdict::kSafe ? most : 2 * most;
  if (report_.findings.size() < allowed) {
    report_.findings.push_back(std::move(finding));
  } else if (finding.verdict == GlobalVerdict::kSafe) {
    listed_.erase(finding.member + '\n' + finding.name);
  }
  if (report_.findings.size() == most && dropped_++ == 0) {
    report_.notes.push_back("there is more than is listed");
  }
}

void Scanner::add_unopened(const ScanPiece& piece, std::string_view what) {
  add({std::string(what), GlobalVerdict::kUnknown, std::string(kNotOpened), piece.member, 0});
}

void Scanner::fail(const ScanPiece& piece, Error error) {
  if (report_.error) return;
  report_.error = piece.member.empty() ? std::move(error) : std::move(error).at(piece.member);
}

bool Scanner::enter(const ScanPiece& piece) {
  if (piece.depth > limits_.max_nesting) {
    fail(piece, {ErrorCode::kLimit, "files are nested in each other more than " +
                                        std::to_string(limits_.max_nesting) + " deep"});
    return false;
  }
  if (++members_ > limits_.max_members) {
    fail(piece,
         {ErrorCode::kLimit, "the file holds more than " + std::to_string(limits_.max_members) +
                                 " streams and members"});
    return false;
  }
  return true;
}

void Scanner::scan(const ScanPiece& piece) {
  if (!enter(piece)) return;
  const ContentKind kind = content_kind(piece.bytes);
  if (piece.depth == 0) {
    scan_whole(kind, piece);
  } else {
    scan_as(kind, piece);
  }
}

void Scanner::scan_as(ContentKind kind, const ScanPiece& piece) {
  switch (kind) {
    case ContentKind::kEmpty:
      return;
    case ContentKind::kZip:
      return scan_zip(piece);
    case ContentKind::kGzip:
    case ContentKind::kBzip2:
    case ContentKind::kXz:
    case ContentKind::kLzma:
      return scan_compressed(piece, kind);
    case ContentKind::kZlib:
      // Any bytes may begin so: only a file that is named for a pickle is taken for joblib's.
      if (piece.is_pickle || piece.depth == 0) {
        return scan_compressed(piece, kind);
      }
      return;
    case ContentKind::kTar:
      return scan_tar(piece);
    case ContentKind::kNpy:
      return scan_npy(piece);
    case ContentKind::kJson:
      return scan_json(piece);
    case ContentKind::kOnnx:
      if (piece.depth == 0 || piece.member.ends_with(".onnx")) return scan_onnx(piece);
      return scan_pickles(piece);
    case ContentKind::kMachineCode:
      return add({"machine code", GlobalVerdict::kUnknown,
                  "runs in the process of a program that loads it", piece.member, 0});
    case ContentKind::kBytecode:
      return add({"Python bytecode", GlobalVerdict::kUnknown,
                  "runs in the process of a program that imports it", piece.member, 0});
    case ContentKind::kSafetensors:
    case ContentKind::kFlatbuffer:
    case ContentKind::kHdf5:
    case ContentKind::kGguf:
      if (piece.depth > 0) return scan_pickles(piece);
      return;
    default:
      if (is_closed_container(kind)) return add_unopened(piece, content_name(kind));
      return scan_pickles(piece);
  }
}

void Scanner::scan_whole(ContentKind kind, const ScanPiece& piece) {
  const auto uncovered = [&](std::string format, std::string advice) {
    report_.format = std::move(format);
    fail(piece, {ErrorCode::kUnsupported,
                 std::string(content_name(kind)) + " is a format that scan does not cover", "",
                 std::move(advice)});
  };
  if (kind == ContentKind::kHdf5) {
    return uncovered("hdf5",
                     "Keras runs the code of Lambda layers in such files; load it with "
                     "safe_mode=True, or convert it to ONNX.");
  }
  if (kind == ContentKind::kGguf) {
    return uncovered("gguf", "Its chat template is a program: use a reader that sandboxes it.");
  }
  if (kind == ContentKind::kFlatbuffer) {
    return uncovered("mobile", "It holds bytecode of TorchScript and no pickle.");
  }
  if (kind == ContentKind::kMachineCode || kind == ContentKind::kBytecode) {
    report_.format = "unknown";
    return fail(piece, {ErrorCode::kCorrupt, "this is a program, not a model"});
  }
  if (is_closed_container(kind)) {
    report_.format = "container";
    return add_unopened(piece, content_name(kind));
  }
  if (kind == ContentKind::kEmpty) {
    report_.format = "empty";
    return fail(piece, {ErrorCode::kCorrupt, "the file is empty"});
  }
  const auto format = detect_format(piece.bytes);
  if (format) report_.format = (*format)->name;
  if (kind == ContentKind::kZip || kind == ContentKind::kTar || kind == ContentKind::kGzip ||
      kind == ContentKind::kZlib || kind == ContentKind::kBzip2 || kind == ContentKind::kXz ||
      kind == ContentKind::kLzma) {
    constexpr std::pair<ContentKind, std::string_view> kNames[] = {
        {ContentKind::kZip, "zip"},  {ContentKind::kGzip, "gzip"},   {ContentKind::kZlib, "zlib"},
        {ContentKind::kTar, "tar"},  {ContentKind::kBzip2, "bzip2"}, {ContentKind::kXz, "xz"},
        {ContentKind::kLzma, "lzma"}};
    for (const auto& [named, name] : kNames) {
      if (!format && named == kind) report_.format = name;
    }
    return scan_as(kind, piece);
  }
  if (format && report_.format == "safetensors") {
    // The format's own reader says whether all of it is as it must be.
    ReadLimits limits;
    limits.max_memory_bytes = limits_.max_memory_bytes;
    if (const auto contents = (*format)->read(piece.file, limits);
        !contents && contents.error().code != ErrorCode::kUnsupported) {
      fail(piece, contents.error());
    }
  }
  scan_as(kind, piece);
  if (kind != ContentKind::kPickle && kind != ContentKind::kOther) return;
  // A zip archive has its directory at the end, and so may have a pickle before it.
  if (ends_like_zip(piece.bytes)) {
    report_.notes.push_back("the file is a zip archive with other bytes before it");
    ScanPiece whole = piece;
    whole.is_pickle = false;
    scan_zip(whole);
  }
  if (!report_.format.empty()) return;
  report_.format = report_.findings.empty() ? "unknown" : "pickle";
  if (!format) fail(piece, format.error());
}

void Scanner::scan_compressed(const ScanPiece& piece, ContentKind kind) {
  const std::string_view what = content_name(kind);
  const uint64_t limit = std::min(memory_left_ / 2, limits_.max_inflated_bytes - inflated_);
  Inflated inner = unpack_prefix(piece.bytes, kind, limit);
  inflated_ += inner.bytes.size();
  if (!inner.whole) {
    const bool limited = inner.limited && inner.bytes.size() == limit;
    fail(piece, {limited ? ErrorCode::kLimit : ErrorCode::kCorrupt,
                 std::string(what) + (limited ? " inflates to more than the memory that there is"
                                              : " is damaged")});
  }
  const MemoryShare share(memory_left_, inner.bytes.size());
  scan({inner.bytes, piece.inside(what), piece.depth + 1,
        content_kind(inner.bytes) == ContentKind::kPickle, piece.in_program, nullptr});
}

void Scanner::scan_tar(const ScanPiece& piece) {
  const TarListing listing = list_tar(piece.bytes);
  for (const TarMember& member : listing.members) {
    const bool link = member.type == '1' || member.type == '2';
    // A symbolic link starts from its folder, a hard one from the top.
    const size_t folder = member.type == '2' ? member.name.rfind('/') + 1 : 0;
    const bool absolute = member.link.starts_with('/');
    const std::string target = (absolute ? "" : member.name.substr(0, folder)) + member.link;
    if (leaves_folder(member.name) || (link && leaves_folder(target))) {
      add({member.name + (link ? " -> " + member.link : ""), GlobalVerdict::kDangerous,
           "leaves the folder that the archive is unpacked to", piece.member, member.offset});
    }
    const std::string_view name = member.name;
    const bool torch =
        name == "pickle" || name == "sys_info" || name == "storages" || name == "tensors";
    if (member.type == '0' || member.type == '7') {
      scan({member.bytes, piece.inside(name), piece.depth + 1,
            torch || name.ends_with(".pkl") || name.ends_with(".pickle"), false, nullptr});
    }
  }
  if (listing.error) fail(piece, *listing.error);
}

void Scanner::scan_npy(const ScanPiece& piece) {
  if (piece.bytes.size() < 10) return;
  const bool wide = piece.bytes[6] >= std::byte{2};
  const uint64_t start = wide ? 12 : 10;
  if (piece.bytes.size() < start) return;
  const uint64_t size = wide ? load_little<uint32_t>(piece.bytes.data() + 8)
                             : load_little<uint16_t>(piece.bytes.data() + 8);
  if (size > piece.bytes.size() - start) {
    return fail(piece, {ErrorCode::kCorrupt, "the header of the array passes the end"});
  }
  const std::string_view header = as_text(piece.bytes.subspan(start, size));
  const bool objects = header.find("O'") != header.npos || header.find("O\"") != header.npos ||
                       header.find("object") != header.npos;
  ScanPiece values = piece;
  values.bytes = piece.bytes.subspan(start + size);
  values.member = piece.inside("values");
  values.is_pickle = objects;
  if (objects) {
    report_.notes.push_back(
        "an array of objects is a pickle: numpy.load runs it with "
        "allow_pickle=True");
  }
  scan_pickles(values);
}

void Scanner::scan_json(const ScanPiece& piece) {
  if (piece.depth == 0 && report_.format.empty()) report_.format = "json";
  const std::string_view text = as_text(piece.bytes);
  if (text.find("\"class_name\"") == text.npos) return;
  for (const std::string_view lambda : {"\"class_name\": \"Lambda\"", "\"class_name\":\"Lambda\"",
                                        "\"__lambda__\"", "\"function_type\": \"lambda\""}) {
    if (const size_t found = text.find(lambda); found != text.npos) {
      add({"keras.layers.Lambda", GlobalVerdict::kDangerous,
           "runs the Python code that the model's description carries", piece.member, found});
      return;
    }
  }
}

ScanReport scan_file(const std::shared_ptr<const MappedFile>& file, const ScanLimits& limits) {
  ScanReport report;
  Scanner scanner(limits, report);
  scanner.scan({file->bytes(), "", 0, true, false, file});
  return report;
}

}  // namespace lanthorn
