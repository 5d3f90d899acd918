// `ankerl::unordered_dense` as far as mediasoup-worker uses it, on Abseil's flat hash tables, which
// the worker links anyway. Both store elements in one array and give no reference stability; this
// one iterates in no particular order, and nothing in the worker relies on an order.
#ifndef PARLEY_SHIM_UNORDERED_DENSE_H
#define PARLEY_SHIM_UNORDERED_DENSE_H

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace ankerl::unordered_dense
{
	template<typename T>
	struct hash : absl::Hash<T>
	{
	};

	namespace detail
	{
		// Abseil takes the low seven bits of a hash as they are, so a caller's weak hash is mixed
		// first. Fibonacci hashing, with the high half folded in.
		template<typename Hash>
		struct mixed
		{
			template<typename Key>
			size_t operator()(const Key& key) const
			{
				const uint64_t product = static_cast<uint64_t>(Hash{}(key)) * 0x9E3779B97F4A7C15ull;

				return static_cast<size_t>(product ^ (product >> 32));
			}
		};

		template<typename Key, typename Hash>
		struct chosen
		{
			using type = mixed<Hash>;
		};

		template<typename Key>
		struct chosen<Key, hash<Key>>
		{
			using type = typename absl::flat_hash_set<Key>::hasher;
		};

		// Abseil's erase(iterator) returns nothing; callers here want the next element.
		template<typename Table>
		struct erasing : Table
		{
			using Table::Table;
			using Table::erase;

			typename Table::iterator erase(typename Table::iterator position)
			{
				const auto next = std::next(position);

				Table::erase(position);

				return next;
			}
		};
	} // namespace detail

	template<typename Key, typename Value, typename Hash = hash<Key>>
	using map = detail::erasing<
	  absl::flat_hash_map<Key, Value, typename detail::chosen<Key, Hash>::type>>;

	template<typename Key, typename Hash = hash<Key>>
	using set = detail::erasing<absl::flat_hash_set<Key, typename detail::chosen<Key, Hash>::type>>;
} // namespace ankerl::unordered_dense

#endif
