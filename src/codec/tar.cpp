#include "codec/tar.h"

#include <algorithm>
#include <charconv>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBlock = 512;
constexpr size_t kMaxMembers = 10'000;

std::string_view field(std::span<const std::byte> header, size_t start, size_t count) {
  const std::string_view text = as_text(header.subspan(start, count));
  return text.substr(0, text.find('\0'));
}

std::optional<uint64_t> octal(std::string_view text) {
  uint64_t value = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if (c < '0' || c > '7' || value > UINT64_MAX >> 3) return std::nullopt;
    value = value << 3 | static_cast<uint64_t>(c - '0');
  }
  return value;
}

/// The value of a pax record: "27 path=long/name\n".
std::string pax_value(std::string_view records, std::string_view key) {
  std::string value;
  while (!records.empty()) {
    size_t size = 0;
    const auto parsed = std::from_chars(records.data(), records.data() + records.size(), size);
    const auto digits = static_cast<size_t>(parsed.ptr - records.data());
    if (parsed.ec != std::errc() || size <= digits + 1 || size > records.size()) break;
    const std::string_view record = records.substr(digits + 1, size - digits - 2);
    if (record.starts_with(key) && record.substr(key.size()).starts_with('=')) {
      value = record.substr(key.size() + 1);
    }
    records.remove_prefix(size);
  }
  return value;
}

Error corrupt(std::string message, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(offset)};
}

}  // namespace

bool looks_like_tar(std::span<const std::byte> bytes) {
  return bytes.size() >= kBlock && as_text(bytes.subspan(257, 5)) == "ustar";
}

TarListing list_tar(std::span<const std::byte> bytes) {
  TarListing listing;
  std::string long_name, long_link;
  uint64_t position = 0;
  while (bytes.size() - position >= kBlock) {
    const auto header = bytes.subspan(position, kBlock);
    if (header[0] == std::byte{0}) break;
    if (field(header, 257, 5) != "ustar") {
      listing.error = corrupt("a member of the tar archive has no header", position);
      break;
    }
    const auto size = octal(field(header, 124, 12));
    if (!size) {
      listing.error = corrupt("a member of the tar archive has no size", position);
      break;
    }
    position += kBlock;
    const uint64_t present = std::min<uint64_t>(*size, bytes.size() - position);
    TarMember member;
    member.name = field(header, 0, 100);
    if (const auto prefix = field(header, 345, 155);
        !prefix.empty() && field(header, 257, 6) == "ustar" && header[262] == std::byte{0}) {
      member.name = std::string(prefix) + "/" + member.name;
    }
    member.link = field(header, 157, 100);
    member.type = header[156] == std::byte{0} ? '0' : static_cast<char>(header[156]);
    member.bytes = bytes.subspan(position, present);
    member.offset = position;
    const uint64_t padded = (present + kBlock - 1) / kBlock * kBlock;
    position += std::min<uint64_t>(padded, bytes.size() - position);
    const std::string_view text = as_text(member.bytes);
    if (member.type == 'L') long_name = text.substr(0, text.find('\0'));
    if (member.type == 'K') long_link = text.substr(0, text.find('\0'));
    if (member.type == 'x') {
      long_name = pax_value(text, "path");
      long_link = pax_value(text, "linkpath");
    }
    const bool describes =
        member.type == 'L' || member.type == 'K' || member.type == 'x' || member.type == 'g';
    if (!describes) {
      if (!long_name.empty()) member.name = std::move(long_name);
      if (!long_link.empty()) member.link = std::move(long_link);
      long_name.clear();
      long_link.clear();
      if (member.name.starts_with("./")) member.name.erase(0, 2);
      listing.members.push_back(std::move(member));
    }
    if (present < *size) {
      listing.error = corrupt("a member of the tar archive passes the end of the file", position);
      break;
    }
    if (listing.members.size() > kMaxMembers) {
      listing.error = Error{ErrorCode::kLimit, "the tar archive has more than " +
                                                   std::to_string(kMaxMembers) + " members"};
      break;
    }
  }
  return listing;
}

}  // namespace lanthorn
